using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class PowerTests
{
    private const ulong Entry = 0x4060_0000;
    private const ulong InternalFailure = ulong.MaxValue - 5;
    private const ulong BigEndian = 1 << 25;

    [Fact]
    public void A_core_starts_out_of_reset_where_it_is_told_and_stops_for_good()
    {
        using var host = new FakeHost(Guest, cores: 2) { Respond = Psci };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(["Started 1 1", "Stopped 1 2", "Started 1 4", "Stopped 1 5"], host.Told);
        Assert.Equal(2, host.Kvm.Vms[0].Vcpus[1].Inits);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                Assert.Equal((Entry, 0x3c5ul, 0x30d0_0800ul), (cpu.Pc, cpu.Pstate, cpu[KvmRegisterId.SctlrEl1]));
                Assert.Equal((ulong)cpu.Inits, cpu.X0);
                Assert.All(Enumerable.Range(1, 30), n => Assert.Equal(0ul, cpu.X(n)));
                cpu.With(CpuOff, 0xbad);
                cpu[KvmRegisterId.VbarEl1] = 0xbad;
                yield return FakeStep.Smc();
                Assert.Fail("CPU_OFF came back.");
            }
            for (var n = 1; n <= 2; n++)
            {
                cpu.With(CpuOn, 1, Entry, (ulong)n);
                yield return FakeStep.Smc();
                Assert.Equal(0ul, cpu.X0);
                yield return FakeStep.SpinUntil(() => cpu.Machine.Now().Cores[1].Power == CorePower.Off);
                cpu.With(Vendor);
                yield return FakeStep.Smc();
            }
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_start_that_cannot_be_is_refused_to_the_caller_and_told()
    {
        using var host = new FakeHost(Guest, cores: 2) { Respond = Psci };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        // The caller itself; a core that is on; of the one that is not there a person is told.
        Assert.Equal(["Refused 0 1", "Started 1 2", "Refused 1 3"], host.Told);
        Assert.Equal(["vCPU 0: an answer starts core 0x2, which this machine does not have: refused. Look at the service that gave it."], host.Log);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                yield return FakeStep.Spin();
            }
            cpu.With(CpuOn, 0, Entry);
            yield return FakeStep.Smc();
            Assert.Equal(InternalFailure, cpu.X0);
            cpu.With(CpuOn, 1, Entry);
            yield return FakeStep.Smc();
            Assert.Equal(0ul, cpu.X0);
            yield return FakeStep.SpinUntil(() => cpu.Vm.Vcpus[1].Runs > 0);
            cpu.With(CpuOn, 1, Entry);
            yield return FakeStep.Smc();
            Assert.Equal(InternalFailure, cpu.X0);
            cpu.With(CpuOn, 2, Entry);
            yield return FakeStep.Smc();
            Assert.Equal(InternalFailure, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void Standby_goes_on_behind_the_call_when_an_interrupt_is_pending()
    {
        using var host = new FakeHost(Guest) { Respond = Psci };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(WakeCause.Interrupt, host.ExitsOf(Exit.KindOneofCase.Wake).Single().Wake.Cause);
        Assert.Equal(Outcome.Applied, host.ExitsOf(Exit.KindOneofCase.Wake).Single().Previous.Outcome);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            using var waker = new Timer(_ => cpu.Wake(), null, 20, 20);
            cpu.With(CpuSuspend, 0, Entry, 5, 44);
            yield return FakeStep.Smc();
            Assert.Equal((0ul, 0ul, 0ul, 0ul), cpu.Results);
            Assert.Equal((44ul, Kernel + 4, MpState.Runnable), (cpu.X(4), cpu.Pc, cpu.State));
            Assert.Equal([CorePower.On], cpu.Machine.Now().Cores.Select(core => core.Power));
            yield return PowerOff(cpu);
        }
    }

    [Theory]
    [InlineData(CpuSuspend, 0ul)]
    [InlineData(CpuSuspend, BigEndian)] // the caller's endianness stays
    [InlineData(0xc400_000e, 0ul)] // SYSTEM_SUSPEND
    public async Task Power_down_enters_again_where_it_is_told_with_nothing_of_what_it_had(ulong function, ulong endianness)
    {
        using var host = new FakeHost(Guest) { Respond = Psci };
        var end = host.Begin();
        var cpu = await First(host);
        while (cpu.Runs < 2 || host.Machine.Now().Cores[0].Power != CorePower.Suspended)
        {
            await Task.Delay(2);
        }
        cpu.Wake();
        Assert.Equal(new MachineEnd.PoweredOff(), await end.Soon());

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            for (var n = 0; n < 31; n++)
            {
                cpu[KvmRegisterId.X(n)] = 0xbad;
            }
            ulong[] lost = [KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1, KvmRegisterId.VbarEl1];
            foreach (var id in lost)
            {
                cpu[id] = 0xbad;
            }
            cpu[KvmRegisterId.SctlrEl1] = 0x30d0_1805 & ~1ul | endianness;
            cpu.Pstate = 0x5;
            cpu.With(function, function == CpuSuspend ? 1ul << 16 : Entry, function == CpuSuspend ? Entry : 5, 5);
            yield return FakeStep.Smc();
            Assert.Equal((Entry, 5ul, 0x3c5ul, 0x30d0_0800 | endianness), (cpu.Pc, cpu.X0, cpu.Pstate, cpu[KvmRegisterId.SctlrEl1]));
            Assert.All(Enumerable.Range(1, 30), n => Assert.Equal(0ul, cpu.X(n)));
            Assert.All(lost, id => Assert.Equal(0ul, cpu[id]));
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_wake_that_nobody_answers_lets_the_guest_go_on()
    {
        using var host = new FakeHost(Guest) { Respond = (mpidr, exit) => exit.Wake is null ? Psci(mpidr, exit) : null };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([0x1_0000_0002ul], host.GivenUp);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            using var waker = new Timer(_ => cpu.Wake(), null, 20, 20);
            cpu.With(CpuSuspend);
            yield return FakeStep.Smc();
            Assert.Equal(0ul, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    // A32 and T32 by bit 0 of the entry point, data by the caller's CPSR.E, exceptions by SCTLR.EE.
    [Theory]
    [InlineData(Entry, false, 0x1d3ul, Entry)]
    [InlineData(Entry + 1, false, 0x1f3ul, Entry)]
    [InlineData(Entry, true, 0x3d3ul, Entry)]
    public void An_AArch32_core_starts_in_svc(ulong entry, bool isBigEndian, ulong pstate, ulong pc)
    {
        using var host = new FakeHost(Guest, cores: 2, with: options => options with { KernelIsAArch32 = true }) { Respond = Psci };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                Assert.Equal((pc, pstate, 6ul, isBigEndian ? BigEndian : 0), (cpu.Pc, cpu.Pstate, cpu.X0, cpu[KvmRegisterId.SctlrEl1] & BigEndian));
                cpu.Pstate = 0x1d3;
                cpu.With(SystemOff);
                yield return FakeStep.Call(isSmc: true, 0xe160_0070);
            }
            // What Linux wants of r0 to r2.
            Assert.Equal((0ul, (ulong)uint.MaxValue), (cpu.X0, cpu.X(1)));
            cpu.Pstate |= isBigEndian ? 1ul << 9 : 0;
            cpu[KvmRegisterId.SctlrEl1] |= isBigEndian ? BigEndian : 0;
            cpu.With(0x8400_0003, 1, entry, 6);
            yield return FakeStep.Call(isSmc: true, 0xe160_0070);
            yield return FakeStep.Spin();
        }
    }

    [Fact]
    public void Cores_that_the_kernel_starts_are_told_when_they_are_first_seen()
    {
        using var host = new FakeHost(Guest, cores: 2, with: options => options with { Psci = PsciOwner.Kernel });
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(["Started 1 0"], host.Told);
        Assert.Equal([(0ul, Vendor), (1ul, Vendor)], host.Exits.Where(exit => exit.Exit.Hypercall is not null).Select(exit => (exit.Mpidr, exit.Exit.Hypercall.X0)));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
            if (cpu.Number == 1)
            {
                Assert.Equal(Entry + 4, cpu.Pc);
                yield return PowerOff(cpu);
            }
            cpu.With(CpuOn, 1, Entry, 7);
            yield return FakeStep.Hvc();
            Assert.Equal(0ul, cpu.X0);
            yield return FakeStep.Spin();
        }
    }

    [Fact]
    public void A_core_that_a_service_switches_off_stays_off_where_PSCI_is_the_kernels()
    {
        using var host = new FakeHost(Guest, cores: 2, with: options => options with { Psci = PsciOwner.Kernel })
        {
            Respond = (mpidr, exit) => mpidr == 1 && exit.Hypercall is not null ? None(answer => answer.PowerOff = new()) : Values(0),
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(["Started 1 0", "Stopped 1 1"], host.Told);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                cpu.With(Vendor);
                yield return FakeStep.Smc();
                Assert.Fail("It went on.");
            }
            cpu.With(CpuOn, 1, Entry, 7);
            yield return FakeStep.Hvc();
            var other = cpu.Vm.Vcpus[1];
            // It is back in the kernel, where it waits.
            yield return FakeStep.SpinUntil(() => other is { Runs: 2, State: MpState.Stopped });
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_service_starts_no_core_where_PSCI_is_the_kernels()
    {
        using var host = new FakeHost(Guest, cores: 2, with: options => options with { Psci = PsciOwner.Kernel })
        {
            Respond = (_, _) => new() { Values = new(), PowerOn = new() { Core = 1, EntryPoint = Entry, IfRefused = InternalFailure } },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(["Refused 1 1"], host.Told);
        Assert.Equal(0, host.Kvm.Vms[0].Vcpus[1].Inits);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(CpuOn, 1, Entry, 7);
            yield return FakeStep.Hvc();
            if (cpu.Number == 1)
            {
                yield return FakeStep.Spin();
            }
            // It runs, and has made no exit that would have shown it.
            cpu.With(Vendor);
            yield return FakeStep.Smc();
            Assert.Equal(InternalFailure, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    private static Answer? Psci(ulong mpidr, Exit exit) => (exit.Hypercall?.X0) switch
    {
        CpuOn or 0x8400_0003 => new() { Values = new(), PowerOn = new() { Core = exit.Hypercall.X1, EntryPoint = exit.Hypercall.X2, ContextId = exit.Hypercall.X3, IfRefused = InternalFailure } },
        CpuOff => None(answer => answer.PowerOff = new()),
        CpuSuspend when exit.Hypercall.X1 == 0 => new() { Values = new(), Suspend = new() },
        CpuSuspend => new() { Values = new(), Suspend = new() { PowerDown = new() { EntryPoint = exit.Hypercall.X2, ContextId = exit.Hypercall.X3 } } },
        0xc400_000e => new() { Values = new(), SystemEvent = new() { Type = SystemEventType.Suspend, Data = { exit.Hypercall.X1, exit.Hypercall.X2 } } },
        _ => None(),
    };

    private static async Task<FakeVcpu> First(FakeHost host)
    {
        while (host.Kvm.Vms is [] || host.Kvm.Vms[0].Vcpus is [])
        {
            await Task.Delay(1);
        }
        return host.Kvm.Vms[0].Vcpus[0];
    }
}
