using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Draws what happens next: mostly calls, with arguments that functions like to stumble over.</summary>
internal sealed class StepSource
{
    private const int Arguments = 17;
    private const int Remembered = 16;

    private static readonly TimeSpan[] s_times = [TimeSpan.FromMicroseconds(1), TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)];

    private readonly Random _random;
    private readonly MachineKind _kind;
    private readonly Service _service;
    private readonly FunctionId[] _ids;
    private readonly ulong[] _interesting;
    private readonly Queue<ulong> _recent = [];

    public StepSource(int seed, MachineKind kind, Service service)
    {
        (_random, _kind, _service) = (new(seed), kind, service);
        _ids = [.. service.Rows.SelectMany(row => row.Ids)];
        _interesting = [.. Interesting(kind.Describe())];
    }

    /// <summary>Machines are reset, and their hosts attach again.</summary>
    public bool MayReset { get; init; } = true;

    /// <summary>What happens next.</summary>
    public Step Next() => _random.Next(100) switch
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

    /// <summary>A call of one function.</summary>
    public Step.Call Call(FunctionId id) => new(Core(), id)
    {
        Arguments = [.. Enumerable.Range(0, Arguments).Select(_ => Argument())],
        Conduit = _random.Next(4) == 0 ? Conduit.Smc : Conduit.Hvc,
        IsAArch32 = !id.IsSmc64 && _random.Next(8) == 0,
        Fate = Fate(),
    };

    /// <summary>What a step led to may be an argument of the next: the number of what was made, the address of what was written.</summary>
    public void Saw(Seen? seen)
    {
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

        return Call(_ids.Length > 0 && _random.Next(32) != 0 ? _ids[_random.Next(_ids.Length)] : new((uint)Argument()));
    }

    private int Core() => _random.Next(_kind.Cores);

    private Fate Fate() => _random.Next(12) switch
    {
        0 => Sanity.Fate.FellBack,
        1 => Sanity.Fate.Refused,
        _ => Sanity.Fate.Applied,
    };

    private ulong Argument() => _random.Next(16) switch
    {
        < 4 => (ulong)_random.Next(4),
        < 6 => (ulong)_random.Next(64),
        < 12 => _interesting[_random.Next(_interesting.Length)],
        < 14 when _recent.Count > 0 => _recent.ElementAt(_random.Next(_recent.Count)),
        14 => 1ul << _random.Next(64),
        _ => (ulong)_random.NextInt64() << 1,
    };

    private IEnumerable<ulong> Interesting(MachineDescription machine)
    {
        ulong[] bounds = [0, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x1_0000, int.MaxValue, 0x8000_0000, uint.MaxValue, 0x1_0000_0000, long.MaxValue, 0x8000_0000_0000_0000, ulong.MaxValue, unchecked((ulong)-2), unchecked((ulong)-4096)];
        var ram = machine.Ram[0];
        ulong[] addresses = [ram.Base, ram.Base + 1, ram.Base + 8, ram.Base + 0x1000, ram.Base + ram.Size - 1, ram.Base + ram.Size - 4096, ram.Base + ram.Size, ram.Base - 1];
        var cores = machine.Cores.Select(core => core.Mpidr.Value);
        var ids = _ids.SelectMany(id => (ulong[])[id.Value, id.Value ^ 1u << 30, id.Value + 1]);
        ulong[] intids = [15, 16, 27, 31, 32, 33, 95, 96, 1019, 1020];
        return [.. bounds, .. addresses, .. addresses, .. cores, 0x100, 0xFF_FFFF_FFFF, .. ids, .. intids];
    }
}
