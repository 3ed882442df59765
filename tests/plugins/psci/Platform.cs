using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;
using static Hypercalls.Psci.LocalState;

namespace Hypercalls.Tests.Psci;

/// <summary>Machines that several tests begin with.</summary>
internal static class Platform
{
    /// <summary>In RAM, and aligned.</summary>
    public const ulong Entry = 0x4008_0000;

    // power_state of the suspend states below, original format: PowerLevel 25:24, StateType 16, StateID 15:0.
    public const uint Standby0 = 0x0000_0001;
    public const uint Retention0 = 0x0000_0002;
    public const uint Sleep0 = 0x0001_0003;
    public const uint SleepRetention1 = 0x0101_0023;
    public const uint Sleep1 = 0x0101_0033;
    public const uint Sleep2 = 0x0201_0333;

    /// <summary>Suspend states up to power level 2, with the recommended StateIDs.</summary>
    public static PsciSettings Composite { get; } = new()
    {
        SuspendStates =
        [
            new() { Name = "cpu-standby", StateId = 0x1, Levels = [Standby] },
            new() { Name = "cpu-retention", StateId = 0x2, Levels = [Retention] },
            new() { Name = "cpu-sleep", StateId = 0x3, Levels = [PowerDown] },
            new() { Name = "cluster-retention", StateId = 0x23, Levels = [PowerDown, Retention] },
            new() { Name = "cluster-sleep", StateId = 0x33, Levels = [PowerDown, PowerDown] },
            new() { Name = "system-sleep", StateId = 0x333, Levels = [PowerDown, PowerDown, PowerDown] },
        ],
    };

    public static Mpidr Core(ulong affinity) => Mpidr.FromRegister(affinity);

    /// <summary>0.0.0.0, 0.0.0.1, 0.0.1.0 and 0.0.1.1: two clusters of two cores, the first core on.</summary>
    public static TestMachine TwoClusters(PsciSettings settings) => new(
        TestMachine.Describe(1) with
        {
            Cores = [new(Core(0x0), CorePower.On), new(Core(0x1), CorePower.Off), new(Core(0x100), CorePower.Off), new(Core(0x101), CorePower.Off)],
        },
        new PsciService(settings));

    /// <summary>
    /// Core 0 on, 1 off, 2 ON_PENDING, 3 suspended, 4 in CPU_FREEZE, 5 frozen, 6 unavailable, 7 off and denied.
    /// Before 1.0, which brought CPU_FREEZE, 4 is on and 5 is off.
    /// </summary>
    public static TestMachine InEveryState(string version)
    {
        var machine = new TestMachine(
            TestMachine.Describe(8) with
            {
                Cores = [.. Enumerable.Range(0, 8).Select(i => new Core(Core((ulong)i), i == 0 ? CorePower.On : i == 6 ? CorePower.Unavailable : CorePower.Off))],
            },
            new PsciService(new() { Version = Version.Parse(version), DeniedCores = [Core(7)] }),
            new SmcccService());
        machine.Call(Ids.CpuOn, 2, Entry);
        machine.Core(3).Call(Ids.CpuSuspend, 0);
        machine.Core(4).Call(Ids.CpuFreeze);
        machine.Core(5).Call(Ids.CpuFreeze);
        machine.Core(5).Stopped();
        return machine;
    }

    /// <summary>Calls, and finds that the answer is an error which changed nothing.</summary>
    public static void Refuses(TestMachine machine, int status, TestCore caller, uint id, params ReadOnlySpan<ulong> args)
    {
        var before = machine.StateOf<PsciState>();
        Assert.Equal(Answer.Status(status), caller.Call(id, args));
        Assert.Same(before, machine.StateOf<PsciState>());
        Assert.Empty(machine.Failures);
    }
}
