using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>SYSTEM_OFF, SYSTEM_RESET, SYSTEM_RESET2, SYSTEM_OFF2 and SYSTEM_SUSPEND. Flags and data are the kernel's (KVM_EXIT_SYSTEM_EVENT).</summary>
public sealed class SystemTests
{
    private const ulong High = 0xDEAD_BEEF_0000_0000;

    private static readonly PsciSettings s_vendor = new()
    {
        VendorResets =
        [
            new() { Type = 0x8000_0000, Action = VendorResetAction.Reset },
            new() { Type = 0xFFFF_FFFF, Action = VendorResetAction.Shutdown },
        ],
    };

    [Theory]
    [InlineData(Ids.SystemOff, SystemEventType.Shutdown)]
    [InlineData(Ids.SystemReset, SystemEventType.Reset)]
    public void Takes_the_machine_down_whatever_its_cores_do(uint id, SystemEventType type)
    {
        foreach (var version in new[] { "0.2", "1.3" })
        {
            var machine = InEveryState(version);
            var before = machine.StateOf<PsciState>();
            Assert.Equal(Answer.NoResults with { Then = new Effect.SystemEvent(type) }, machine.Call(id));
            Assert.Same(before, machine.StateOf<PsciState>()); // what the reset leaves is told by the host
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          type                     cookie        status
    [InlineData(0ul,                     0ul,          0)]  // SYSTEM_WARM_RESET
    [InlineData(0ul,                     0x1234ul,     0)]  // its cookie is ignored
    [InlineData(High,                    0ul,          0)]  // the type has 32 bits in either form
    [InlineData(1ul,                     0ul,          -2)] // reserved: INVALID_PARAMETERS
    [InlineData(2ul,                     0ul,          -2)]
    [InlineData(0x7FFF_FFFFul,           0ul,          -2)]
    [InlineData(0x8000_0000ul,           0x1234ul,     0)]  // the vendor's, as configured
    [InlineData(0x8000_0001ul,           0ul,          -2)] // the vendor's, not configured
    [InlineData(0xFFFF_FFFEul,           0ul,          -2)]
#pragma warning restore format
    public void SYSTEM_RESET2(ulong type, ulong cookie, int status)
    {
        foreach (var id in new[] { Ids.SystemReset2, Ids.SystemReset2 | Ids.Smc64 })
        {
            var machine = new TestMachine(new PsciService(s_vendor));
            if (status < 0)
            {
                Refuses(machine, status, machine.Core(0), id, type, cookie);
            }
            else
            {
                Assert.Equal(Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Reset, [1, (uint)type, cookie]) }, machine.Call(id, type, cookie));
            }
        }
    }

    [Fact]
    public void SYSTEM_RESET2_of_a_vendor_may_shut_down() => Assert.Equal(
        Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Shutdown) },
        new TestMachine(new PsciService(s_vendor)).Call(Ids.SystemReset2, 0xFFFF_FFFF, 0));

    [Fact]
    public void SYSTEM_RESET2_takes_64_bits_of_an_SMC64_cookie()
    {
        var machine = new TestMachine(new PsciService());
        Assert.Equal(new Effect.SystemEvent(SystemEventType.Reset, [1, 0, High | 1]), machine.Call(Ids.SystemReset2 | Ids.Smc64, 0, High | 1).Then);
        Assert.Equal(new Effect.SystemEvent(SystemEventType.Reset, [1, 0, 1]), machine.Call(Ids.SystemReset2, 0, High | 1).Then);
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          id                          type           cookie     status
    [InlineData(Ids.SystemOff2,             0ul,           0ul,       0)]  // HIBERNATE_OFF since issue F.b
    [InlineData(Ids.SystemOff2,             1ul,           0ul,       0)]  // HIBERNATE_OFF
    [InlineData(Ids.SystemOff2 | Ids.Smc64, High | 1,      0ul,       0)]  // the type has 32 bits
    [InlineData(Ids.SystemOff2,             1ul,           High,      0)]  // so has an SMC32 cookie
    [InlineData(Ids.SystemOff2 | Ids.Smc64, 1ul,           High,      -2)] // the cookie must be zero
    [InlineData(Ids.SystemOff2,             1ul,           1ul,       -2)]
    [InlineData(Ids.SystemOff2,             0ul,           1ul,       -2)]
    [InlineData(Ids.SystemOff2,             2ul,           0ul,       -2)]
    [InlineData(Ids.SystemOff2,             0x8000_0000ul, 0ul,       -2)] // bit 31 must be zero
    [InlineData(Ids.SystemOff2,             0x8000_0001ul, 0ul,       -2)]
    [InlineData(Ids.SystemOff2,             0xFFFF_FFFFul, 0ul,       -2)]
#pragma warning restore format
    public void SYSTEM_OFF2(uint id, ulong type, ulong cookie, int status)
    {
        var machine = new TestMachine(new PsciService());
        if (status < 0)
        {
            Refuses(machine, status, machine.Core(0), id, type, cookie);
        }
        else
        {
            Assert.Equal(Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Shutdown, [1]) }, machine.Call(id, type, cookie));
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          core 1       entry          status
    [InlineData("off",       Entry,         0)]
    [InlineData("frozen",    Entry,         0)]
    [InlineData("off",       Entry + 2,     -9)] // INVALID_ADDRESS
    [InlineData("off",       0x8000_0000ul, -9)]
    [InlineData("starting",  Entry,         -3)] // DENIED: not OFF
    [InlineData("running",   Entry,         -3)]
    [InlineData("suspended", Entry,         -3)]
    [InlineData("freezing",  Entry,         -3)]
    [InlineData("running",   Entry + 2,     -3)] // the other cores before the entry point
#pragma warning restore format
    public void SYSTEM_SUSPEND(string core, ulong entry, int status)
    {
        var machine = new TestMachine(2, new PsciService());
        if (core != "off")
        {
            machine.Call(Ids.CpuOn, 1, Entry);
        }

        _ = core switch
        {
            "running" => machine.Core(1).Call(Ids.PsciVersion),
            "suspended" => machine.Core(1).Call(Ids.CpuSuspend, 0),
            "freezing" or "frozen" => machine.Core(1).Call(Ids.CpuFreeze),
            _ => default,
        };
        if (core == "frozen")
        {
            machine.Core(1).Stopped();
        }

        foreach (var id in new[] { Ids.SystemSuspend, Ids.SystemSuspend | Ids.Smc64 })
        {
            if (status < 0)
            {
                Refuses(machine, status, machine.Core(0), id, entry, 7);
                continue;
            }

            Assert.Equal(Answer.Success with { Then = new Effect.SystemEvent(SystemEventType.Suspend, [entry, 7]) }, machine.Call(id, entry, 7));
            Assert.Equal(PowerState.Suspended, machine.StateOf<PsciState>().Cores[0].Power);
        }
    }

    [Fact]
    public void SYSTEM_SUSPEND_wants_no_core_that_cannot_start_off()
    {
        var machine = new TestMachine(
            TestMachine.Describe(1) with { Cores = [new(Core(0), CorePower.On), new(Core(1), CorePower.Unavailable)] }, new PsciService());
        Assert.Equal(Answer.Success with { Then = new Effect.SystemEvent(SystemEventType.Suspend, [Entry | 1, 7]) }, machine.Core(0).AArch32.Call(Ids.SystemSuspend, Entry | 1, 7));
    }
}
