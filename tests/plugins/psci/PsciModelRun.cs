using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Psci;

/// <summary>
/// A guest, its host and the model, side by side. The host may be late with reports, lose them, refuse to start cores, lose
/// answers, reset the machine and attach again; of each core its reports arrive in order.
/// </summary>
internal sealed class PsciModelRun
{
    private readonly ModelPlatform _platform;
    private readonly TestMachine _machine;
    private readonly PsciModel _model;
    private readonly HostCore[] _cores;

    public PsciModelRun(int choice)
    {
        _platform = new(new((ulong)choice));
        Service[] services = _platform.ServesSmccc ? [new PsciService(_platform.Settings), new SmcccService()] : [new PsciService(_platform.Settings)];
        _machine = new(_platform.Description, services);
        _model = new(_platform);
        _cores = [.. _platform.Cores.Select(core => new HostCore { CanStart = !_platform.Unavailable.Contains(core) })];
        _cores[0].Runs = true;
    }

    public void Step(int choice)
    {
        var dice = new Dice((ulong)choice);
        _machine.Now = _machine.Now.AddMicroseconds(dice.Below(1_000_000));
        var one = dice.Below(_cores.Length);
        switch (dice.Below(32))
        {
            case < 14: From(one, core => core.Runs && !core.Leaves, caller => Call(caller, dice)); break;
            case < 18: From(one, core => core.ToStart, core => HostStarts(core, dice)); break;
            case 18: From(one, core => core.ToStart, core => HostRefuses(core, dice)); break;
            case < 22: From(one, core => core.Leaves, core => HostStops(core, dice)); break;
            case < 26: From(one, core => core.Sleeps, core => HostWakes(core, dice)); break;
            case 26 when dice.OneIn(2): Attach(); break;
            case 27 when dice.OneIn(8): Reset(isWarm: dice.OneIn(2)); break;
            default: From(one, core => core.Reports.Count > 0, Deliver); break;
        }

        Assert.Empty(_machine.Failures);
        var state = _machine.StateOf<PsciState>();
        Assert.Null(_model.Difference(state));
        NodesFitTheirCores(state);
    }

    /// <summary>No node is down over a core that runs, nor deeper than one below it.</summary>
    private static void NodesFitTheirCores(PsciState state)
    {
        foreach (var node in state.Nodes.Span)
        {
            Assert.DoesNotContain(state.Nodes, child => child.Level < node.Level && node.Holds(child.Node) && child.State < node.State);
            Assert.True(
                node.State == LocalState.Run || !state.Cores.Any(core => node.Holds(core.Core) && core.Power is PowerState.On or PowerState.Freezing),
                $"{node} is down while a core of it runs.");
        }
    }

    // The first core for which a step makes sense, counted round from one: so that few steps come to nothing.
    private void From(int one, Func<HostCore, bool> fits, Action<int> step)
    {
        for (var i = 0; i < _cores.Length; i++)
        {
            var index = (one + i) % _cores.Length;
            if (fits(_cores[index]))
            {
                step(index);
                return;
            }
        }
    }

    private void Call(int caller, Dice dice)
    {
        // An exit tells first what became of the answer before it.
        if (_cores[caller].OwesFallback)
        {
            _cores[caller].OwesFallback = false;
            _model.FellBack(caller);
            _machine.Core(caller).FellBack();
        }

        var call = ModelCall.Draw(dice, _platform);
        var core = call.IsAArch32 ? _machine.Core(caller).AArch32 : _machine.Core(caller);
        var expected = _model.Call(caller, call, _machine.Now);
        var answer = core.Call(call.Id, call.X1, call.X2, call.X3);
        Assert.Equal(expected, answer);
        _cores[caller].Started = null;
        if (answer.Then is Effect.PowerOn on)
        {
            // Whatever was reported: of those who race for a core, one wins until it has run and stopped again.
            var target = _cores[IndexOf(on.Core)];
            Assert.False(target.Runs || target.Sleeps || target.ToStart, $"Core {on.Core} was started twice.");
        }

        if (answer.Then is not null && dice.OneIn(16))
        {
            _cores[caller].OwesFallback = true;
            return;
        }

        CarryOut(caller, answer.Then, dice);
    }

    private void CarryOut(int caller, Effect? effect, Dice dice)
    {
        switch (effect)
        {
            case Effect.PowerOn on:
                _cores[caller].Started = IndexOf(on.Core);
                _cores[IndexOf(on.Core)].ToStart = true;
                break;
            case Effect.PowerOff:
                _cores[caller].Leaves = true;
                break;
            case { Suspends: true }:
                (_cores[caller].Runs, _cores[caller].Sleeps) = (false, true);
                break;
            case Effect.SystemEvent when dice.OneIn(4):
                Reset(effect is Effect.SystemEvent { Type: SystemEventType.Reset, Data: [1, 0, _] });
                break;
            case Effect.SystemEvent:
                // The machine was not to be stopped: the caller goes on, and says so.
                _cores[caller].OwesFallback = true;
                break;
        }
    }

    private void HostStarts(int target, Dice dice)
    {
        (_cores[target].ToStart, _cores[target].Runs) = (false, true);
        Report(target, CoreChange.Started, dice);
    }

    private void HostRefuses(int target, Dice dice)
    {
        _cores[target].ToStart = false;
        Report(target, CoreChange.Refused, dice);
    }

    private void HostStops(int target, Dice dice)
    {
        (_cores[target].Leaves, _cores[target].Runs) = (false, false);
        Report(target, CoreChange.Stopped, dice);
    }

    private void HostWakes(int target, Dice dice)
    {
        (_cores[target].Sleeps, _cores[target].Runs) = (false, true);
        Report(target, CoreChange.Woke, dice);
    }

    private void Report(int core, CoreChange change, Dice dice)
    {
        // One report in sixteen is lost, five are late, and none overtakes another.
        var luck = dice.Below(16);
        if (luck == 0)
        {
            return;
        }

        _cores[core].Reports.Enqueue(change);
        while (luck > 5 && _cores[core].Reports.Count > 0)
        {
            Deliver(core);
        }
    }

    private void Deliver(int index)
    {
        var change = _cores[index].Reports.Dequeue();
        _model.Report(index, change, _machine.Now);
        switch (change)
        {
            case CoreChange.Started: _machine.Core(index).Started(); break;
            case CoreChange.Stopped: _machine.Core(index).Stopped(); break;
            case CoreChange.Woke: _machine.Core(index).Woke(); break;
            default: _machine.Core(index).Refused(); break;
        }
    }

    private void Reset(bool isWarm)
    {
        _machine.Reset(isWarm ? ResetKind.Warm : ResetKind.Cold);
        _model.Reset(isWarm, _machine.Description);
        _model.Report(0, CoreChange.Started, _machine.Now);
        for (var i = 0; i < _cores.Length; i++)
        {
            _cores[i] = new() { CanStart = _cores[i].CanStart, Runs = i == 0 };
        }
    }

    private void Attach()
    {
        for (var i = 0; i < _cores.Length; i++)
        {
            // A start that the host had not carried out went down with the connection.
            if (_cores[i].ToStart && Array.Find(_cores, core => core.Started == i) is { } caller)
            {
                caller.OwesFallback = true;
            }

            _cores[i].ToStart = false;
            _cores[i].Reports.Clear();
        }

        var description = _platform.Listing(_cores.Select((core, i) => (_platform.Cores[i], core.Listed)));
        _machine.Attach(description);
        _model.Attach(description);
    }

    private int IndexOf(Mpidr core) => Array.IndexOf(_platform.Cores, core.Value);

    private sealed class HostCore
    {
        public bool CanStart { get; init; }

        /// <summary>It executes.</summary>
        public bool Runs { get; set; }

        /// <summary>It waits in a suspend call.</summary>
        public bool Sleeps { get; set; }

        /// <summary>It has called CPU_OFF or CPU_FREEZE and is not stopped yet.</summary>
        public bool Leaves { get; set; }

        /// <summary>The host is to start it.</summary>
        public bool ToStart { get; set; }

        /// <summary>The target of its last call, where that was a CPU_ON that succeeded.</summary>
        public int? Started { get; set; }

        /// <summary>It will say that its last answer fell back.</summary>
        public bool OwesFallback { get; set; }

        /// <summary>Not delivered yet.</summary>
        public Queue<CoreChange> Reports { get; } = [];

        public CorePower Listed => !CanStart ? CorePower.Unavailable : Sleeps ? CorePower.Suspended : Runs ? CorePower.On : CorePower.Off;
    }
}
