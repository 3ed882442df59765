using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdei;

/// <summary>What the guest, its host and its operator do in most of these tests.</summary>
internal static class Guest
{
    public const ulong Entry = 0xFFFF_8000_1000_0000;
    public const ulong Argument = 0x1234_5678_9ABC_DEF0;
    public const ulong ByPe = 1;
    public const ulong Relative = 2;

    // Events of Machine, beside event 0: of each type and priority.
    public const uint PrivateNormal = 804;
    public const uint PrivateCritical = 0x4000_0001;
    public const uint SharedNormal = 0x4000_0002;
    public const uint SharedCritical = 0x4000_0003;
    public const uint OtherNormal = 0x4000_0004;
    public const uint OtherCritical = 0x4000_0005;

    /// <summary>Interrupts that the host of Machine offers are 20 to 31 and 32 to 63.</summary>
    public const uint Ppi = 27;
    public const uint Spi = 40;

    public static PlatformEvent[] Events { get; } =
    [
        new(PrivateNormal, IsShared: false, IsCritical: false),
        new(PrivateCritical, IsShared: false, IsCritical: true),
        new(SharedNormal, IsShared: true, IsCritical: false),
        new(SharedCritical, IsShared: true, IsCritical: true),
        new(OtherNormal, IsShared: true, IsCritical: false),
        new(OtherCritical, IsShared: true, IsCritical: true),
    ];

    /// <summary>A machine whose cores all run, with other services beside SDEI.</summary>
    public static TestMachine Machine(ModelPlatform? platform = null, params ReadOnlySpan<Service> others)
    {
        platform ??= new() { Events = Events };
        var machine = new TestMachine(platform.Description, [platform.Service, .. others]);
        for (var core = 1; core < platform.Cores.Length; core++)
        {
            machine.Core(core).Started();
        }

        return machine;
    }

    /// <summary>x0 of a call that has no other result and no effect.</summary>
    public static long Returns(this TestCore core, uint id, params ReadOnlySpan<ulong> args)
    {
        var answer = core.Call(id, args);
        Assert.Equal(new Answer { Kind = answer.Kind, X0 = answer.X0 }, answer);
        Assert.NotEqual(ResultKind.None, answer.Kind);
        return (long)answer.X0;
    }

    public static long Status(this TestCore core, ulong number) => core.Returns(Ids.EventStatus, number);

    /// <summary>Registers and enables.</summary>
    public static void Listens(this TestCore core, ulong number, ulong flags = 0, ulong affinity = 0, ulong entry = Entry)
    {
        Assert.Equal(0, core.Returns(Ids.EventRegister, number, entry, Argument, flags, affinity));
        Assert.Equal(0, core.Returns(Ids.EventEnable, number));
    }

    public static void Unmasks(this TestCore core) => Assert.Equal(0, core.Returns(Ids.PeUnmask));

    public static void Signals(this TestCore core, TestCore target) => Assert.Equal(0, core.Returns(Ids.EventSignal, 0, target.Mpidr.Value));

    /// <summary>The event of an interrupt that the host lets have.</summary>
    public static uint Binds(this TestCore core, uint intid)
    {
        var answer = core.Call(Ids.InterruptBind, intid);
        Assert.Equal(new Effect.TakeInterrupt(intid, IfRefused: -3), answer.Then);
        return (uint)answer.X0;
    }

    /// <summary>It is stopped, as wanted, and enters the handler of an event.</summary>
    public static Effect.Load Enters(this TestCore core, uint number, RegisterFile? interrupted = null, uint? intid = null)
    {
        Assert.True(intid is not null || core.WantsAttention, $"{core} is to be stopped.");
        var load = Assert.IsType<Effect.Load>(core.Attend(interrupted ?? Interrupted(), intid).Then);
        Assert.Equal(new RegisterValue(0, number), load.Registers[0]);
        return load;
    }

    /// <summary>Its innermost handler completes.</summary>
    public static Effect.Load Completes(this TestCore core) => Assert.IsType<Effect.Load>(core.Call(Ids.EventComplete, 0).Then);

    /// <summary>x0 to x30 are 0x100 to 0x11E.</summary>
    public static RegisterFile Interrupted(ulong pc = 0x4000_1234, ulong pstate = 0x6000_0005) => new()
    {
        X = [.. Enumerable.Range(0x100, 31).Select(value => (ulong)value)],
        Pc = pc,
        Pstate = new(pstate),
        VbarElc = 0xFFFF_8000_0000_0800,
        SctlrElc = 1 << 23, // SPAN
    };

    public static ValueArray<RegisterValue> Saved(RegisterFile interrupted) => [.. Enumerable.Range(0, 18).Select(index => new RegisterValue(index, interrupted.X[index]))];
}
