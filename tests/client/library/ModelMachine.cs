using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Tests.Psci;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Client.Library;

/// <summary>A machine whose cores call at random, a host that applies what comes back as the QEMU host does, and a book of what the guest saw. Core 0 is always on.</summary>
internal sealed class ModelMachine : IAsyncDisposable
{
    public const string Name = "model";

    private readonly CorePowers _powers;
    private readonly ModelCore[] _cores;
    private readonly List<string> _faults = [];
    private readonly ManualResetEventSlim _mayGoOn = new(false);
    private volatile bool _isPaused = true;
    private volatile bool _hasEnded;

    public ModelMachine(int cores, ulong seed)
    {
        _powers = new(cores, "model");
        _cores = [.. Enumerable.Range(0, cores).Select(number => new ModelCore(this, number, new(seed + (ulong)number)))];
    }

    public MachineSession Session { get; private set; } = null!;

    public IReadOnlyList<ModelCore> Cores => _cores;

    public long Calls => _cores.Sum(core => core.Calls);

    public long Fallbacks => _cores.Sum(core => core.Fallbacks);

    /// <summary>What must not happen, as it happened.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_faults)
            {
                return [.. _faults];
            }
        }
    }

    internal CorePowers Powers => _powers;

    public async Task AttachAsync(CallInvoker daemon, Action<string>? log = null)
    {
        // CPU_OFF is sent again and again: the model knows no machine that stops.
        var rules = new HostRules { NoReturnRetries = int.MaxValue, Log = log };
        for (var number = 0; number < _cores.Length; number++)
        {
            _powers.TryBoot(number, 1, out _);
        }

        Session = await MachineSession.AttachAsync(daemon, Describe, AllForwarded(), (_, _) => { }, rules);
        foreach (var core in _cores)
        {
            core.Session = Session.OpenVcpu((ulong)core.Number);
        }

        _powers.Report(Session, 1, [.. _cores.Select(core => (ulong)core.Number)]);
        _powers.TryStartBootCore(new(0, 0, default, 0));
        foreach (var core in _cores)
        {
            core.Begin();
        }
    }

    /// <summary>The guest runs.</summary>
    public void GoOn()
    {
        _isPaused = false;
        _mayGoOn.Set();
    }

    /// <summary>No core begins another call; waits until those under way are over.</summary>
    public void Pause()
    {
        _mayGoOn.Reset();
        _isPaused = true;
        foreach (var core in _cores)
        {
            if (!core.IsParked.Wait(TimeSpan.FromSeconds(120)))
            {
                Fault($"Core {core.Number} waits for an answer for ever: {core.Session.LastFault}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _hasEnded = true;
        _mayGoOn.Set();
        foreach (var core in _cores)
        {
            core.Session.Close();
        }

        await Session.DisposeAsync().AsTask().Soon();
        foreach (var core in _cores)
        {
            core.Dispose();
        }

        _mayGoOn.Dispose();
    }

    internal void Fault(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }
    }

    internal bool HasEnded => _hasEnded;

    internal void Park(ModelCore core)
    {
        while (_isPaused && !_hasEnded)
        {
            core.IsParked.Set();
            _mayGoOn.Wait();
        }

        core.IsParked.Reset();
    }

    private HelloMessage Describe()
    {
        var (boot, powers) = _powers.Now();
        var hello = Greeting(Name, _cores.Length);
        hello.Boot = boot;
        for (var number = 0; number < _cores.Length; number++)
        {
            hello.Cores[number].Power = powers[number];
        }

        return hello;
    }
}

/// <summary>One core of the model: its thread calls while the machine is not paused, the test's while it is.</summary>
internal sealed class ModelCore : IDisposable
{
    public const ulong CpuOff = 0x8400_0002;
    public const ulong CpuOn = 0xC400_0003;
    public const ulong AffinityInfo = 0xC400_0004;
    public const ulong Count = 0xC300_0023;

    private const ulong EntryPoint = 0x4008_0000;

    private readonly ModelMachine _machine;
    private readonly Dice _dice;
    private readonly Thread _thread;
    private Previous? _previous;
    private ulong _exitId;

    public ModelCore(ModelMachine machine, int number, Dice dice)
    {
        (_machine, Number, _dice) = (machine, number, dice);
        _thread = new(Run) { IsBackground = true, Name = $"model core {number}" };
    }

    public int Number { get; }

    public VcpuSession Session { get; set; } = null!;

    public ManualResetEventSlim IsParked { get; } = new(false);

    public long Calls { get; private set; }

    /// <summary>Exits whose answer the guest never saw: none came, or the host could not apply it.</summary>
    public long Fallbacks { get; private set; }

    /// <summary>The last answer of COUNT that the guest saw.</summary>
    public ulong Counted { get; private set; }

    /// <summary>The longest that a call which returns has taken.</summary>
    public TimeSpan Longest { get; private set; }

    public bool IsOn => _machine.Powers.IsOn(Number);

    public void Begin() => _thread.Start();

    /// <summary>Carries out a start that was asked for; whether the core is on.</summary>
    public bool TryStart()
    {
        if (_machine.Powers.TakeStart(Number) is { } start && start.Commit != 0)
        {
            _machine.Powers.Started(Number, start.Commit);
        }

        return IsOn;
    }

    /// <summary>A call of the guest.</summary>
    /// <param name="id">The function.</param>
    /// <param name="x1">Its first argument.</param>
    /// <param name="isUnfit">The host cannot apply the answer, as one that breaks its rules.</param>
    /// <returns>x0; null where the guest got the fallback, or the call did not return.</returns>
    public ulong? Call(ulong id, ulong x1 = 0, bool isUnfit = false)
    {
        Calls++;
        var exit = Host(id, x1);
        _machine.Powers.EnterCall(Number);
        var began = Stopwatch.GetTimestamp();
        var answer = Forward(exit);
        var took = Stopwatch.GetElapsedTime(began);
        Longest = id != CpuOff && took > Longest ? took : Longest;
        if (answer is null || isUnfit)
        {
            FallBack(exit);
            return null;
        }

        _previous = new() { ExitId = exit.ExitId, Outcome = Outcome.Applied, LastApplied = exit.ExitId };
        if (answer.ExitId != exit.ExitId || answer.Boot != exit.Boot || answer.NotServed)
        {
            _machine.Fault($"Core {Number}: exit {exit.ExitId} got the answer of {answer.ExitId}, not served: {answer.NotServed}.");
        }

        return Apply(id, answer);
    }

    public void Dispose()
    {
        if (!_thread.Join(TimeSpan.FromSeconds(60)))
        {
            _machine.Fault($"Core {Number} did not end.");
        }

        Session.Dispose();
        IsParked.Dispose();
    }

    private Exit Host(ulong id, ulong x1) => new()
    {
        ExitId = ++_exitId,
        Boot = 1,
        Previous = _previous,
        Hypercall = new() { Conduit = Conduit.Smc, Imm = 0, X0 = id, X1 = x1, X2 = id == CpuOn ? EntryPoint : 0, Pstate = 0x3C5 },
    };

    private Answer? Forward(Exit exit)
    {
        try
        {
            return Session.Forward(exit);
        }
        catch (Exception e)
        {
            _machine.Fault($"Core {Number}: exit {exit.ExitId} threw: {e}");
            return null;
        }
    }

    private void FallBack(Exit exit)
    {
        Fallbacks++;
        _previous = new() { ExitId = exit.ExitId, Outcome = Outcome.FellBack, LastApplied = _previous?.LastApplied ?? 0 };
        Session.GaveUp(exit);
        _machine.Powers.LeaveCall(Number);
    }

    private ulong? Apply(ulong id, Answer answer)
    {
        var x0 = answer.Values?.X0;
        switch (answer.EffectCase)
        {
            case Answer.EffectOneofCase.PowerOff:
                _machine.Powers.PowerOff(Number, answer.Commit);
                return null;
            case Answer.EffectOneofCase.PowerOn:
                var target = (int)answer.PowerOn.Core;
                if (!_machine.Powers.TryPowerOn(target, new(answer.PowerOn.EntryPoint, answer.PowerOn.ContextId, default, answer.Commit)))
                {
                    _machine.Powers.Refused(target, answer.Commit);
                    x0 = answer.PowerOn.IfRefused;
                }

                break;
        }

        _machine.Powers.LeaveCall(Number);
        if (id == Count)
        {
            if (x0 != Counted + 1)
            {
                _machine.Fault($"Core {Number}, exit {_exitId}: COUNT is {x0} after {Counted}.");
            }

            Counted = x0 ?? 0;
        }

        return x0;
    }

    private void Run()
    {
        while (!_machine.HasEnded)
        {
            _machine.Park(this);
            if (!_machine.HasEnded && TryStart())
            {
                Step();
            }
            else
            {
                // Off: somebody may start it.
                Thread.Sleep(1);
            }
        }
    }

    private void Step()
    {
        var other = (ulong)_dice.Below(_machine.Cores.Count);
        var isUnfit = _dice.OneIn(20);
        _ = _dice.Below(20) switch
        {
            < 4 => Call(CpuOn, other, isUnfit),
            < 7 => Call(AffinityInfo, other),
            < 9 when Number != 0 => Call(CpuOff),
            _ => Call(Count, isUnfit: isUnfit),
        };
    }
}
