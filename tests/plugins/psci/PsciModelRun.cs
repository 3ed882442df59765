using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Psci;

/// <summary>
/// A guest, its host, and what PSCI is expected to say, side by side. The host may be late with reports, lose them, refuse to
/// start cores, lose answers, reset the machine and attach again; of each core its reports arrive in order.
/// </summary>
internal sealed class PsciModelRun
{
    private const uint CpuSuspend = 0x8400_0001;
    private const uint CpuOff = 0x8400_0002;
    private const uint CpuOn = 0xC400_0003;
    private const uint AffinityInfo = 0xC400_0004;
    private const uint PsciVersion = 0x8400_0000;
    private const ulong Entry = 0x4008_0000;

    private readonly TestMachine _machine;
    private readonly ModelCore[] _cores;

    public PsciModelRun(int cores)
    {
        _machine = new(cores, new PsciService());
        _cores = [.. Enumerable.Range(0, cores).Select(i => new ModelCore { Runs = i == 0, Says = i == 0 ? "ON" : "OFF" })];
    }

    public void Step(int choice)
    {
        var kind = choice % 16;
        var one = choice / 16 % _cores.Length;
        var other = choice / 128 % _cores.Length;
        var coin = choice / 1024 % 16;
        switch (kind)
        {
            case 0 or 1 or 2 or 3: From(one, core => core.Calls, caller => CallCpuOn(caller, other, coin)); break;
            case 4 when coin < 8: From(one, core => core.Calls, CallCpuOff); break;
            case 4: From(one, core => core.Calls, CallCpuSuspend); break;
            case 5: From(one, core => core.Calls, caller => CallAffinityInfo(caller, other)); break;
            case 6 or 7 or 8: From(one, core => core.ToStart, core => HostStarts(core, coin)); break;
            case 9: From(one, core => core.ToStart, core => HostRefuses(core, coin)); break;
            case 10: From(one, core => core.Leaves, core => HostStops(core, coin)); break;
            case 11: From(one, core => core.Sleeps, core => HostWakes(core, coin)); break;
            case 12: From(one, core => core.ToStart, HostLosesAnswer); break;
            case 13 when coin < 4: Attach(); break;
            case 13 when coin == 15: Reset(); break;
            default: From(one, core => core.Reports.Count > 0, Deliver); break;
        }

        Assert.Empty(_machine.Failures);
        foreach (var (core, i) in _cores.Select((core, i) => (core, i)))
        {
            Assert.Equal(core.Says, _machine.StateOf<PsciState>().Cores[i].Power switch
            {
                PowerState.On or PowerState.Suspended => "ON",
                PowerState.OnPending => "ON_PENDING",
                PowerState.Off => "OFF",
                _ => "?",
            });
        }
    }

    // The first core for which a step makes sense, counted round from one: so that few steps come to nothing.
    private void From(int one, Func<ModelCore, bool> fits, Action<int> step)
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

    // ---- the guest

    private void CallCpuOn(int caller, int target, int coin)
    {
        BeginCall(caller);
        var misaligned = coin == 15;
        var answer = _machine.Core(caller).Call(CpuOn, Affinity(target), Entry + (misaligned ? 2ul : 0), (ulong)caller);
        var expected = misaligned ? -9 : _cores[target].Says switch { "OFF" => 0, "ON_PENDING" => -5, _ => -4 };
        Assert.Equal(expected, (long)answer.X0);
        if (expected != 0)
        {
            Assert.Null(answer.Then);
            return;
        }

        // Whatever was reported: a second SUCCESS in one power cycle would start a core that runs or is about to.
        Assert.False(_cores[target].Runs || _cores[target].Sleeps || _cores[target].ToStart, $"Core {target} was started twice.");
        Assert.Equal(new Effect.PowerOn(_machine.Core(target).Mpidr, Entry, (ulong)caller, -6), answer.Then);
        _cores[target].Says = "ON_PENDING";
        _cores[target].StartedBy = caller;
        _cores[target].ToStart = true;
        _cores[caller].LastStarted = target;
    }

    private void CallCpuOff(int caller)
    {
        BeginCall(caller);
        Assert.Equal(new Effect.PowerOff(), _machine.Core(caller).Call(CpuOff).Then);
        _cores[caller].Leaves = true;
    }

    private void CallCpuSuspend(int caller)
    {
        BeginCall(caller);
        Assert.Equal(new Effect.Standby(), _machine.Core(caller).Call(CpuSuspend, 0).Then);
        _cores[caller].Runs = false;
        _cores[caller].Sleeps = true;
    }

    private void CallAffinityInfo(int caller, int target)
    {
        BeginCall(caller);
        var said = _cores.Select(core => core.Says).ToList();
        Assert.Equal(Number(said[target]), _machine.Core(caller).Call(AffinityInfo, Affinity(target), 0).X0);
        Assert.Equal(
            Number(said.Contains("ON") ? "ON" : said.Contains("ON_PENDING") ? "ON_PENDING" : "OFF"),
            _machine.Core(caller).Call(AffinityInfo, 0, 3).X0);
    }

    private void BeginCall(int caller)
    {
        var core = _cores[caller];

        // An exit tells first what became of the answer before it, and by itself that its core runs.
        if (core.OwesFallback)
        {
            core.OwesFallback = false;
            TellFallback(caller);
        }

        _machine.Core(caller).Call(PsciVersion);
        core.Says = "ON";
        core.StartedBy = null;
        core.LastStarted = null;
    }

    private void TellFallback(int caller)
    {
        if (_machine.Core(caller) is var core && _cores[caller].LastStarted is { } target)
        {
            core.FellBack();
            if (_cores[target].Says == "ON_PENDING" && _cores[target].StartedBy == caller)
            {
                _cores[target].Says = "OFF";
                _cores[target].StartedBy = null;
            }
        }
    }

    // ---- the host

    private void HostStarts(int target, int coin)
    {
        _cores[target].ToStart = false;
        _cores[target].Runs = true;
        Report(target, CoreChange.Started, coin);
    }

    private void HostRefuses(int target, int coin)
    {
        _cores[target].ToStart = false;
        Report(target, CoreChange.Refused, coin);
    }

    private void HostStops(int target, int coin)
    {
        _cores[target].Leaves = false;
        _cores[target].Runs = false;
        Report(target, CoreChange.Stopped, coin);
    }

    private void HostWakes(int target, int coin)
    {
        _cores[target].Sleeps = false;
        _cores[target].Runs = true;
        Report(target, CoreChange.Woke, coin);
    }

    // The answer to a CPU_ON never took effect; the caller learns it, and says so with its next exit.
    private void HostLosesAnswer(int target)
    {
        if (_cores[target].StartedBy is { } caller && _cores[caller].LastStarted == target)
        {
            _cores[target].ToStart = false;
            _cores[caller].OwesFallback = true;
        }
    }

    private void Report(int core, CoreChange change, int coin)
    {
        // One report in sixteen is lost, five are late, and none overtakes another.
        if (coin == 0)
        {
            return;
        }

        _cores[core].Reports.Enqueue(change);
        if (coin > 5)
        {
            while (_cores[core].Reports.Count > 0)
            {
                Deliver(core);
            }
        }
    }

    private void Deliver(int index)
    {
        var core = _cores[index];
        if (!core.Reports.TryDequeue(out var change))
        {
            return;
        }

        switch (change)
        {
            case CoreChange.Started:
                _machine.Core(index).Started();
                (core.Says, core.StartedBy) = ("ON", null);
                break;
            case CoreChange.Stopped:
                _machine.Core(index).Stopped();
                (core.Says, core.StartedBy) = ("OFF", null);
                break;
            case CoreChange.Woke:
                _machine.Core(index).Woke();
                break;
            case CoreChange.Refused:
                _machine.Core(index).Refused();
                (core.Says, core.StartedBy) = core.Says == "ON_PENDING" ? ("OFF", null) : (core.Says, core.StartedBy);
                break;
        }
    }

    private void Reset()
    {
        _machine.Reset();
        for (var i = 0; i < _cores.Length; i++)
        {
            _cores[i] = new() { Runs = i == 0, Says = i == 0 ? "ON" : "OFF" };
        }
    }

    private void Attach()
    {
        for (var i = 0; i < _cores.Length; i++)
        {
            var core = _cores[i];

            // A start that the host had not carried out went down with the connection.
            if (core is { ToStart: true, StartedBy: { } caller } && _cores[caller].LastStarted == i)
            {
                _cores[caller].OwesFallback = true;
            }

            core.Says = core.Runs || core.Sleeps ? "ON" : "OFF";
            core.ToStart = false;
            core.StartedBy = null;
            core.Reports.Clear();
        }

        _machine.Attach(_machine.Description with
        {
            Cores =
            [
                .. _cores.Select((core, i) => new Core(
                    _machine.Core(i).Mpidr, core.Sleeps ? CorePower.Suspended : core.Runs ? CorePower.On : CorePower.Off)),
            ],
        });
    }

    private ulong Affinity(int core) => _machine.Core(core).Mpidr.Value;

    private static ulong Number(string info) => info switch { "ON" => 0, "OFF" => 1, _ => 2 };

    private sealed class ModelCore
    {
        /// <summary>What AFFINITY_INFO is expected to say.</summary>
        public string Says { get; set; } = "OFF";

        /// <summary>It executes.</summary>
        public bool Runs { get; set; }

        /// <summary>It may make a call.</summary>
        public bool Calls => Runs && !Leaves;

        /// <summary>It waits in CPU_SUSPEND.</summary>
        public bool Sleeps { get; set; }

        /// <summary>It has called CPU_OFF and is not stopped yet.</summary>
        public bool Leaves { get; set; }

        /// <summary>The host is to start it.</summary>
        public bool ToStart { get; set; }

        /// <summary>While ON_PENDING, whose CPU_ON it was.</summary>
        public int? StartedBy { get; set; }

        /// <summary>The target of its last call, where that was a CPU_ON that succeeded.</summary>
        public int? LastStarted { get; set; }

        /// <summary>It will say that its last answer fell back.</summary>
        public bool OwesFallback { get; set; }

        /// <summary>Not delivered yet.</summary>
        public Queue<CoreChange> Reports { get; } = [];
    }
}
