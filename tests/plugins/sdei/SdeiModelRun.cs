using System.Globalization;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using Dice = Hypercalls.Tests.Psci.Dice;

namespace Hypercalls.Tests.Sdei;

/// <summary>
/// A guest, its host, its operator and the model, side by side. PSCI is there to suspend cores. The host may stop and start cores, let taken interrupts
/// fire, tell of one trigger twice, be late with attention, lose answers, attach again, and reset the machine.
/// </summary>
internal sealed partial class SdeiModelRun
{
    private const uint CpuSuspend = 0xC400_0001;
    private const ulong PowerDown = 0x1_0000;
    private const ulong WakeEntry = 0x4008_0000;

    private readonly ModelPlatform _platform;
    private readonly TestMachine _machine;
    private readonly Service _service;
    private readonly SdeiModel _model;
    private readonly Sleep[] _sleeps;
    private readonly List<string> _history = [];

    public SdeiModelRun(Dice dice)
    {
        _platform = new(dice);
        _service = _platform.Service;
        _machine = new(_platform.Description, _service, new PsciService());
        _model = new(_platform);
        _sleeps = new Sleep[_platform.Cores.Length];
        _history.Add(_platform.ToString());
    }

    private enum Sleep
    {
        Awake,
        Standby,
        PoweredDown,
    }

    /// <summary>What has happened, in words.</summary>
    public string History => string.Join(Environment.NewLine, _history);

    /// <summary>The platform, and what happened last.</summary>
    public string LastSteps(int number) => string.Join(Environment.NewLine, [_history[0], .. _history.Skip(Math.Max(1, _history.Count - number))]);

    /// <summary>How often a handler was entered.</summary>
    public int Entries { get; private set; }

    /// <summary>How deep handlers were nested at most.</summary>
    public int Depth { get; private set; }

    /// <summary>The state's size as JSON.</summary>
    public int StateSize => _machine.StateOf(_service.Name).Length;

    /// <summary>One thing happens; <paramref name="wild"/> calls are of any identifier with any arguments.</summary>
    public void Step(Dice dice, bool wild = false)
    {
        var pe = dice.Below(_platform.Cores.Length);
        switch (dice.Below(64))
        {
            case < 14: Attend(dice.OneIn(8) ? pe : Wanting(pe), null, dice); break;
            case < 20: Fire(pe, dice); break;
            case < 25: Raise(dice); break;
            case < 27: Power(pe, dice); break;
            case 27: Suspend(pe, dice); break;
            case 28: Wake(pe); break;
            case 29 when dice.OneIn(12): Reset(dice); break;
            case 30: Attach(); break;
            case < 35: FellBack(pe); break;
            case < 47: Approach(pe, dice); break;
            default: Call(pe, wild && dice.OneIn(2) ? ModelCall.DrawAny(dice, _platform, Events) : ModelCall.Draw(dice, _platform, Events)); break;
        }

        Compare();
    }

    private List<uint> Events => [.. _model.Events];

    // The first core from one that wants to be stopped; one itself where none does.
    private int Wanting(int one) => Enumerable.Range(0, _sleeps.Length).Select(i => (one + i) % _sleeps.Length).Where(_model.WantsAttention).Append(one).First();

    private void Call(int pe, ModelCall call)
    {
        // Seldom from a core that is off: the call is then the news that it runs.
        if (!_model.Pes[pe].IsOn && (call.X[0] & 3) != 0)
        {
            pe = 0;
        }

        // What is returned while its end is still to be told is looked at in PowerTests.
        if ((call.Id & ~0x1_0000u) is Ids.InterruptRelease or Ids.SharedReset && _model.HasEnds)
        {
            return;
        }

        Rouse(pe);
        _history.Add($"core {pe} calls {call}");
        var expected = _model.Call(pe, call.Id, call.X, call.Pstate);
        var core = _machine.Core(pe) with { Pstate = new(call.Pstate) };
        Same(expected, core.Call(call.Id, call.X.AsSpan(1)));
    }

    /// <summary>The next step on the way to a handler of some event.</summary>
    private void Approach(int pe, Dice dice)
    {
        var events = Events;
        var number = events[dice.Below(events.Count)];
        var status = _model.Status(pe, number);
        uint? id = status == 0 ? Ids.EventRegister : (status & 3) == 1 ? Ids.EventEnable : _model.Pes[pe].IsMasked ? Ids.PeUnmask : null;
        if (id is { } next)
        {
            ulong[] x = [next, number, 0x4008_0000, dice.Next(), (ulong)dice.Below(1 + _platform.Minor) * 2, 0];
            Call(pe, new(next, x, _platform.ClientEl == 2 ? 0x3C9u : 0x3C5));
        }
        else if (_model.IntidOf(number) is { } intid)
        {
            Attend(pe, intid, dice);
        }
        else
        {
            Raise(number, dice.OneIn(2) ? null : pe);
        }
    }

    private void Attend(int pe, uint? intid, Dice dice)
    {
        if (!_model.Pes[pe].IsOn)
        {
            return;
        }

        Rouse(pe);
        var registers = Registers(pe, dice);
        _history.Add(string.Create(CultureInfo.InvariantCulture, $"core {pe} is stopped{(intid is null ? "" : $" by interrupt {intid}")} at 0x{registers.Pc:X}, PSTATE {registers.Pstate}"));
        var expected = _model.Attend(pe, registers, intid);
        Same(expected, _machine.Core(pe).Attend(registers, intid));
        Entries += expected.Then is null ? 0 : 1;
        Depth = Math.Max(Depth, _model.Pes[pe].Frames.Count);
    }

    private void Fire(int pe, Dice dice)
    {
        uint[] bound = [.. Events.Select(_model.IntidOf).OfType<uint>()];
        if (bound.Length > 0)
        {
            Attend(pe, dice.OneOf(bound), dice);
        }
    }

    private void Raise(Dice dice)
    {
        var events = Events;
        var number = dice.OneIn(10) ? dice.Next() >> dice.Below(64) : events[dice.Below(events.Count)];
        Raise(number, dice.OneIn(2) ? null : dice.Below(_platform.Cores.Length));
    }

    private void Raise(ulong number, int? core)
    {
        _history.Add(string.Create(CultureInfo.InvariantCulture, $"the operator raises 0x{number:X} on core {core}"));
        var expected = _model.Raise(number, core);
        Assert.Equal(expected, Sdei.Raise(_machine, number, core));
    }

    private void Power(int pe, Dice dice)
    {
        if (_model.Pes[pe].IsOn && dice.OneIn(3))
        {
            _sleeps[pe] = Sleep.Awake;
            _history.Add($"core {pe} stops");
            _model.Stopped(pe);
            _machine.Core(pe).Stopped();
        }
        else if (!_model.Pes[pe].IsOn)
        {
            _history.Add($"core {pe} starts");
            _model.Started(pe);
            _machine.Core(pe).Started();
        }
    }

    private void Suspend(int pe, Dice dice)
    {
        if (!_model.Pes[pe].IsOn)
        {
            return;
        }

        Rouse(pe);
        var isDeep = dice.OneIn(2);
        _history.Add($"core {pe} suspends{(isDeep ? ", powered down" : "")}");
        _model.Elsewhere(pe);
        var core = _machine.Core(pe);
        var answer = core.Call(CpuSuspend, isDeep ? PowerDown : 0, WakeEntry, 0);
        Assert.True(answer.Then is { Suspends: true }, $"CPU_SUSPEND gave {answer}");
        _sleeps[pe] = isDeep ? Sleep.PoweredDown : Sleep.Standby;
    }

    private void Wake(int one) => Rouse(Enumerable.Range(0, _sleeps.Length).Select(i => (one + i) % _sleeps.Length).Where(pe => _sleeps[pe] != Sleep.Awake).Append(one).First());

    /// <summary>A suspended core wakes before it does anything else.</summary>
    private void Rouse(int pe)
    {
        if (_sleeps[pe] != Sleep.Awake)
        {
            _history.Add($"core {pe} wakes");
            _model.Woke(pe, hasLostContext: _sleeps[pe] == Sleep.PoweredDown);
            _machine.Core(pe).Woke();
            _sleeps[pe] = Sleep.Awake;
        }
    }

    private void FellBack(int one)
    {
        foreach (var pe in Enumerable.Range(0, _sleeps.Length).Select(i => (one + i) % _sleeps.Length).Where(_model.CanFallBack).Take(1))
        {
            _history.Add($"core {pe} fell back");
            _model.FellBack(pe);
            _machine.Core(pe).FellBack();
        }
    }

    private void Reset(Dice dice)
    {
        _history.Add("the machine is reset");
        _model.Reset();
        _machine.Reset(dice.OneOf(ResetKind.Cold, ResetKind.Warm));
        Array.Clear(_sleeps);
    }

    private void Attach()
    {
        _history.Add("the host attaches again");
        _machine.Attach(_platform.Description with
        {
            Cores =
            [
                .. _platform.Cores.Select((core, pe) => new Core(
                    Mpidr.FromRegister(core), !_model.Pes[pe].IsOn ? CorePower.Off : _sleeps[pe] == Sleep.Awake ? CorePower.On : CorePower.Suspended)),
            ],
        });
    }

    private RegisterFile Registers(int pe, Dice dice)
    {
        // Inside a handler the core is at the client EL; outside anywhere up to it, EL0 in AArch32 too.
        var mode = _model.Pes[pe].Frames.Count > 0 ? (ulong)_platform.ClientEl << 2 | 1
            : _platform.ClientEl == 2 ? dice.OneOf<ulong>(0, 4, 5, 8, 9)
            : dice.OneOf<ulong>(0, 4, 5, 0x10);
        var flags = dice.Next() & 0xFFFF_FFE0;
        flags &= _platform.HasPan ? ulong.MaxValue : ~(1ul << 22);
        return new()
        {
            X = [.. Enumerable.Range(0, 31).Select(_ => dice.Next())],
            Pc = dice.Next() & ~3ul,
            Pstate = new(mode | flags | (dice.OneIn(4) ? 1ul << 32 : 0)),
            SpEl0 = dice.Next(),
            SpEl1 = dice.Next(),
            ElrElc = dice.Next(),
            SpsrElc = dice.Next(),
            VbarElc = dice.Next() & ~0x7FFul,
            SctlrElc = dice.Next(),
        };
    }
}
