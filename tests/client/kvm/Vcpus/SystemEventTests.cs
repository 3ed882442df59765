using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class SystemEventTests
{
    private const ulong SystemReset2 = 0xc400_0012;
    private const ulong InternalFailure = ulong.MaxValue - 5;

    // How the daemon takes what the kernel reports: the machine does not wait for its consent.
    public static TheoryData<string> Daemons => new("answers", "is silent", "refuses to go on without");

    [Theory]
    [MemberData(nameof(Daemons))]
    public void A_power_off_of_the_kernels_own_is_reported_and_carried_out(string daemon)
    {
        using var host = new FakeHost(Guest, cores: 2, with: KernelPsci) { Respond = (_, _) => Respond(daemon) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(new SystemEventExit { Type = 1, Count = 1, Data = { 0 } }, host.Exits.Single().Exit.SystemEvent);
        Assert.All(host.Kvm.Vms[0].Vcpus, vcpu => Assert.Equal(MpState.Stopped, vcpu.State));
        Assert.Equal(InternalFailure, host.Kvm.Vms[0].Vcpus[0].X0);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return PowerOff(cpu);
            Assert.Fail("SYSTEM_OFF came back.");
        }
    }

    // function, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2, kind
    [Theory]
    [InlineData(SystemReset, 0ul, ResetKind.Cold, "answers")]
    [InlineData(SystemReset, 0ul, ResetKind.Cold, "is silent")]
    [InlineData(SystemReset2, 1ul, ResetKind.Warm, "answers")]
    [InlineData(SystemReset2, 1ul, ResetKind.Warm, "refuses to go on without")]
    public void A_reset_of_the_kernels_own_is_reported_and_begins_the_next_boot(ulong function, ulong flags, ResetKind kind, string daemon)
    {
        using var host = new FakeHost(Guest, with: KernelPsci) { Respond = (_, exit) => exit.SystemEvent is null ? Values(0) : Respond(daemon) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([$"{kind} boot 2 by vCPU 0, by the kernel's PSCI"], host.Told);
        Assert.Equal(new SystemEventExit { Type = 2, Count = 1, Data = { flags } }, host.Exits.First().Exit.SystemEvent);
        Assert.Equal(2, host.Kvm.Vms.Count);

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(cpu.Boot == 1 ? function : SystemOff);
            yield return FakeStep.Smc();
        }
    }

    [Theory]
    [MemberData(nameof(Daemons))]
    public void A_crash_is_reported_and_ends_the_machine(string daemon)
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => Respond(daemon) };
        Assert.Equal(new MachineEnd.Failed("vCPU 0: KVM reports a system event Crash, data [0x7, 0xffffffffffffffff]."), host.Run());
        Assert.Equal(new SystemEventExit { Type = 3, Count = 2, Data = { 7, ulong.MaxValue } }, host.Exits.Single().Exit.SystemEvent);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Exit(page => FakePage.SystemEvent(page, 3, [7, ulong.MaxValue]));
        }
    }

    [Fact]
    public void A_wakeup_of_a_core_that_is_not_suspended_is_nothing()
    {
        using var host = new FakeHost(Guest);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([SystemOff], host.Calls.Select(call => call.X0));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Exit(page => FakePage.SystemEvent(page, 4, []));
            yield return PowerOff(cpu);
        }
    }

    // What a service decides: flags, type, cookie as the kernel would give them.
    [Theory]
    [InlineData(new ulong[0], false, ResetKind.Cold)] // SYSTEM_RESET
    [InlineData(new ulong[] { 1, 0, 9 }, false, ResetKind.Warm)] // SYSTEM_RESET2 of the architectural type
    [InlineData(new ulong[] { 1, 0x8000_0000, 9 }, false, ResetKind.Cold)] // of a vendor's
    [InlineData(new ulong[] { 1, 0, 9 }, true, ResetKind.Cold)] // memory that is overwritten is not kept
    public void A_reset_by_a_service_builds_a_new_machine(ulong[] data, bool clears, ResetKind kind)
    {
        using var host = new FakeHost(Guest, cores: 2, with: options => options with { Deny = [(5, 9)] })
        {
            Respond = (_, exit) => (exit.Hypercall.X0, exit.Boot) switch
            {
                (SystemReset, 1) => None(answer => answer.SystemEvent = new() { Type = SystemEventType.Reset, Data = { data }, ClearMemory = clears }),
                (CpuOn, _) => new() { Values = new(), PowerOn = new() { Core = 1, EntryPoint = 0x4060_0000 } },
                _ => Values(1),
            },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(2, host.Kvm.Vms.Count);
        Assert.Equal(host.Kvm.Vms[0].Filter, host.Kvm.Vms[1].Filter);
        Assert.Equal(["Started 1 1", $"{kind} boot 2 by vCPU 0"], host.Told.Where(told => !told.StartsWith("Refused", StringComparison.Ordinal)));
        Assert.Equal([(1ul, 0x1_0000_0001ul), (1, 0x1_0000_0002), (2, 0x2_0000_0001), (2, 0x2_0000_0002)], host.Exits.Select(exit => (exit.Exit.Boot, exit.Exit.ExitId)));
        Assert.Null(host.Exits.ElementAt(2).Exit.Previous);
        Assert.Equal(clears ? 1 : 0, host.Kvm.Vms[1].Memory!.Clears);
        Assert.Equal((2ul, CorePower.On, CorePower.Off), (host.Machine.Now().Boot, host.Machine.Now().Cores[0].Power, host.Machine.Now().Cores[1].Power));
        Assert.Equal([1, 0], host.Kvm.Vms.Select(vm => vm.Vcpus[1].Inits));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                yield return FakeStep.Spin();
            }
            // The kernel is put there afresh, whatever the guest wrote over it.
            var code = new byte[4];
            cpu.Vm.Memory!.Read(Kernel - cpu.Vm.MemoryBase, code);
            Assert.Equal([0, 0, 0, 0x14], code);
            cpu.With(cpu.Boot == 1 ? CpuOn : Vendor);
            yield return FakeStep.Smc();
            yield return FakeStep.SpinUntil(() => cpu.Boot == 2 || cpu.Vm.Vcpus[1].Runs > 0);
            cpu.With(cpu.Boot == 1 ? SystemReset : SystemOff);
            yield return FakeStep.Smc();
            Assert.Fail("It came back.");
        }
    }

    [Fact]
    public void A_crash_that_a_service_reports_ends_the_machine()
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => None(answer => answer.SystemEvent = new() { Type = SystemEventType.Crash, Data = { 5 } }) };
        Assert.Equal(new MachineEnd.Failed("A service reports a crash at vCPU 0: data [0x5]."), host.Run());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
        }
    }

    [Fact]
    public void A_machine_that_cannot_be_built_again_fails_with_what_KVM_said()
    {
        var kvm = new FakeKvm(Guest)
        {
            Refuses = boot =>
            {
                if (boot == 2)
                {
                    throw KvmException.Of("KVM makes no machine", -12);
                }
            },
        };
        using var host = new FakeHost(Guest, kvm: kvm) { Respond = (_, _) => None(answer => answer.SystemEvent = new() { Type = SystemEventType.Reset }) };
        Assert.Equal(new MachineEnd.Failed("The machine cannot be reset: KVM makes no machine: ENOMEM (12)."), host.Run());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(SystemReset);
            yield return FakeStep.Smc();
        }
    }

    private static KvmOptions KernelPsci(KvmOptions options) => options with { Psci = PsciOwner.Kernel };

    private static Answer? Respond(string daemon) => daemon switch
    {
        "answers" => None(),
        "is silent" => null,
        _ => throw new MachineStopsException("No answer, and by the rules no fallback."),
    };
}
