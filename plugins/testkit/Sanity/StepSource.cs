using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Draws what happens next: mostly calls, with arguments that functions like to stumble over.</summary>
internal sealed class StepSource
{
    private const int Arguments = 17;
    private const int Remembered = 16;
    private const int LongestScene = 48;
    private const int Cast = 5;

    private static readonly ulong[] s_bounds =
    [
        0, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x1_0000, int.MaxValue, 0x8000_0000, uint.MaxValue, 0x1_0000_0000, long.MaxValue, 0x8000_0000_0000_0000, ulong.MaxValue, unchecked((ulong)-2), unchecked((ulong)-4096),
    ];

    private static readonly ulong[] s_intids = [15, 16, 27, 31, 32, 33, 95, 96, 1019, 1020];

    private static readonly TimeSpan[] s_times = [TimeSpan.FromMicroseconds(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)];

    private readonly Random _random;
    private readonly MachineKind _kind;
    private readonly Service _service;
    private readonly FunctionId[] _ids;
    private readonly ulong[] _cores;
    private readonly ulong[] _addresses;
    private readonly ulong[] _numbers;
    private readonly Queue<ulong> _recent = [];
    private readonly Dictionary<FunctionId, Step.Call> _welcome = [];
    private readonly Dictionary<FunctionId, (int Calls, int Errors)> _known = [];

    // A scene is a while in which few functions are called, from few cores, with few things to talk of: so that one call finds what another has made.
    private int _left;
    private FunctionId[] _cast = [];
    private ulong[] _theme = [];
    private int? _core;
    private bool _isCalm;

    public StepSource(int seed, MachineKind kind, Service service)
    {
        (_random, _kind, _service) = (new(seed), kind, service);
        _ids = [.. service.Rows.SelectMany(row => row.Ids)];
        var machine = kind.Describe();
        var ram = machine.Ram[0];
        _cores = [.. machine.Cores.Select(core => core.Mpidr.Value), .. machine.Cores.Select(core => core.Mpidr.Value), 0x100, 0xFF_FFFF_FFFF];
        _addresses = [.. Enumerable.Range(0, 8).Select(page => ram.Base + 0x1000 * (ulong)page), ram.Base + 1, ram.Base + 8, ram.Base + ram.Size - 1, ram.Base + ram.Size - 4096, ram.Base + ram.Size, ram.Base - 1];
        _numbers = [.. _ids.SelectMany(id => (ulong[])[id.Value, id.Value, id.Value ^ 1u << 30, id.Value + 1]), 0];
    }

    /// <summary>Machines are reset, and their hosts attach again.</summary>
    public bool MayReset { get; init; } = true;

    /// <summary>What happens next.</summary>
    public Step Next()
    {
        if (_left-- == 0)
        {
            ChangeScene();
        }

        return Next(_random.Next(_isCalm ? 82 : 100));
    }

    private Step Next(int dice) => dice switch
    {
        < 70 => Call(),
        < 78 => new Step.Attend(Core(), null, Fate()),
        < 82 => new Step.Attend(Core(), (uint)_random.Next((int)MachineKind.FirstIntid, (int)MachineKind.LastIntid + 1), Fate()),
        < 88 => new Step.Raise(Argument(), _random.Next(2) == 0 ? null : Core()),
        < 93 => new Step.Report(Core(), (CoreChange)_random.Next(1, 5)),
        < 96 => new Step.Pass(s_times[_random.Next(s_times.Length)]),
        < 98 => new Step.Look(),
        < 99 when MayReset => new Step.Attach(),
        _ when MayReset => new Step.Reset((ResetKind)_random.Next(1, 3)),
        _ => new Step.Look(),
    };

    /// <summary>A call of one function. Functions that belong together take the same thing first: a call may begin as one that went well.</summary>
    public Step.Call Call(FunctionId id)
    {
        var model = _welcome.Count > 0 && _random.Next(3) == 0 ? _welcome.Values.ElementAt(_random.Next(_welcome.Count)) : null;
        var kept = model is null ? 0 : _random.Next(1, 6);
        return new(model is not null && _random.Next(4) != 0 ? model.Core : Core(), id)
        {
            Arguments = [.. Enumerable.Range(0, Arguments).Select(n => n < kept ? model!.Arguments[n] : n == 0 && _theme.Length > 0 && _random.Next(4) != 0 ? _theme[_random.Next(_theme.Length)] : Argument())],
            Conduit = _random.Next(4) == 0 ? Conduit.Smc : Conduit.Hvc,
            IsAArch32 = !id.IsSmc64 && _random.Next(8) == 0,
            Fate = Fate(),
        };
    }

    /// <summary>What a step led to may be an argument of the next: the number of what was made, the address of what was written.</summary>
    public void Saw(Step step, Seen? seen)
    {
        if (step is Step.Call call && seen is { Row: not null })
        {
            var (calls, errors) = _known.GetValueOrDefault(call.Id);
            _known[call.Id] = (calls, errors) = (calls + 1, errors + (seen.IsError ? 1 : 0));
            // Of what always goes well nothing is to be learnt.
            if (!seen.IsError && errors * 4 > calls)
            {
                _welcome[call.Id] = call;
            }
        }

        if (seen is { Answer: { Kind: not ResultKind.None } answer })
        {
            foreach (var value in (ulong[])[answer.X0, answer.X1])
            {
                if (value != 0)
                {
                    _recent.Enqueue(value);
                }
            }

            while (_recent.Count > Remembered)
            {
                _recent.Dequeue();
            }
        }
    }

    private Step.Call Call()
    {
        var claims = _service.Claims;
        if (claims.Count > 0 && (_ids.Length == 0 || _random.Next(16) == 0))
        {
            var claim = claims[_random.Next(claims.Count)];
            return Call(new((uint)Argument())) with { Conduit = claim.Conduit, Immediate = claim.Immediate };
        }

        return Call(_cast.Length > 0 && _random.Next(32) != 0 ? _cast[_random.Next(_cast.Length)] : new((uint)Argument()));
    }

    private void ChangeScene()
    {
        _left = _random.Next(8, LongestScene);
        _cast = _random.Next(4) == 0 ? _ids : [.. Enumerable.Range(0, Math.Min(_ids.Length, Cast)).Select(_ => _ids[_random.Next(_ids.Length)])];
        _theme = [Argument(), Argument()];
        _core = _random.Next(2) == 0 ? _random.Next(_kind.Cores) : null;
        _isCalm = _random.Next(2) == 0;
    }

    private int Core() => _core ?? _random.Next(_kind.Cores);

    private Fate Fate() => _random.Next(12) switch
    {
        0 => Sanity.Fate.FellBack,
        1 => Sanity.Fate.Refused,
        _ => Sanity.Fate.Applied,
    };

    private ulong Argument() => _random.Next(16) switch
    {
        < 4 => (ulong)_random.Next(3),
        4 => (ulong)_random.Next(64),
        < 8 => Of(_cores),
        < 11 => Of(_addresses),
        11 => _random.Next(2) == 0 ? Of(_numbers) : Of(s_intids),
        12 => Of(s_bounds),
        13 when _recent.Count > 0 => _recent.ElementAt(_random.Next(_recent.Count)),
        14 => 1ul << _random.Next(64),
        _ => (ulong)_random.NextInt64() << 1,
    };

    private ulong Of(ulong[] values) => values[_random.Next(values.Length)];
}
