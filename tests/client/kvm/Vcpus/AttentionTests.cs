using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class AttentionTests
{
    private const ulong Handler = 0x4050_0000;
    private const ulong Uart = 0x0900_0000;

    [Fact]
    public async Task A_kicked_guest_is_stopped_where_it_is_and_enters_its_handler()
    {
        using var host = Attending(Guest, wanted: false);
        var end = host.Begin();
        await Until(() => host.Kvm.Vms[0].Vcpus[0].Runs == 1);
        host.Machine.AttentionWanted(0, true);
        Assert.Equal(new MachineEnd.PoweredOff(), await end.Soon());
        var attention = host.ExitsOf(Exit.KindOneofCase.Attention).Single().Attention;
        Assert.Equal(AttentionReason.Requested, attention.Reason);
        Assert.Equal(
            new RegisterFile
            {
                X = { Enumerable.Range(0, 31).Select(n => (ulong)n) },
                Pc = Kernel,
                Pstate = 0x3c5,
                SpEl0 = 100,
                SpEl1 = 101,
                ElrElc = 102,
                SpsrElc = 103,
                VbarElc = 104,
                SctlrElc = 0x30d0_0800,
            },
            attention.Registers);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            for (var n = 0; n < 31; n++)
            {
                cpu[KvmRegisterId.X(n)] = (ulong)n;
            }
            ulong[] system = [KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1, KvmRegisterId.VbarEl1];
            foreach (var (id, n) in system.Select((id, n) => (id, n)))
            {
                cpu[id] = 100 + (ulong)n;
            }
            yield return FakeStep.Spin();
            Assert.Equal((Handler, 77ul, 1ul), (cpu.Pc, cpu.X0, cpu.X(1)));
            Assert.Equal([KvmRegisterId.X(0), KvmRegisterId.Pc], cpu.LastSet);
            yield return PowerOff(cpu);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_access_to_a_device_is_finished_before_PC_is_touched(bool isRead)
    {
        using var host = Attending(Guest);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        // Of the instruction behind the access.
        Assert.Equal(Kernel + 4, host.ExitsOf(Exit.KindOneofCase.Attention).Single().Attention.Registers.Pc);
        Assert.Equal(isRead ? 0x97ul : 5, host.ExitsOf(Exit.KindOneofCase.Attention).Single().Attention.Registers.X[5]);

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu[KvmRegisterId.X(5)] = 5;
            // The last thing before the exit: it is due as soon as the guest has left for the device.
            yield return new Then(isRead ? FakeStep.Read(Uart + 0x18, 4, register: 5) : FakeStep.Write(Uart + 0x24, 4, 1), () => cpu.Machine.AttentionWanted(0, true));
            Assert.Equal(Handler, cpu.Pc);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_suspended_core_wakes_first_and_then_is_stopped()
    {
        using var host = Attending(Guest, onSuspend: host => host.Machine.AttentionWanted(0, true));
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(
            [Exit.KindOneofCase.Hypercall, Exit.KindOneofCase.Wake, Exit.KindOneofCase.Attention, Exit.KindOneofCase.Hypercall],
            host.Exits.Select(exit => exit.Exit.KindCase));
        Assert.Equal(WakeCause.Attention, host.ExitsOf(Exit.KindOneofCase.Wake).Single().Wake.Cause);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(CpuSuspend);
            yield return FakeStep.Smc();
            Assert.Equal((Handler, MpState.Runnable), (cpu.Pc, cpu.State));
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void Attend_before_resume_comes_before_the_next_instruction()
    {
        var steps = 0;
        using var host = new FakeHost(Guest)
        {
            Respond = (_, exit) =>
            {
                if (exit.Attention is not null)
                {
                    Assert.Equal(0, Volatile.Read(ref steps));
                    return None(answer => answer.Load = new() { Pc = Handler });
                }
                return new() { Values = new() { X0 = 9 }, AttendBeforeResume = true };
            },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        var attention = Assert.Single(host.ExitsOf(Exit.KindOneofCase.Attention));
        // The call's result is the state that is interrupted, and its answer was applied.
        Assert.Equal((9ul, Kernel + 4), (attention.Attention.Registers.X[0], attention.Attention.Registers.Pc));
        Assert.Equal(Outcome.Applied, attention.Previous.Outcome);

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
            steps++;
            Assert.Equal((Handler, 9ul), (cpu.Pc, cpu.X0));
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void Attention_that_is_withdrawn_makes_no_exit()
    {
        using var host = new FakeHost(Guest);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Empty(host.ExitsOf(Exit.KindOneofCase.Attention));
        Assert.Equal(1, host.Kvm.Vms[0].Vcpus[0].Interruptions);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            // While the guest runs: the kick ends the run, and then there is nothing to do.
            cpu.Machine.AttentionWanted(0, true);
            cpu.Machine.AttentionWanted(0, false);
            yield return FakeStep.SpinUntil(() => cpu.Interruptions > 0);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void After_attention_that_nobody_answered_the_guest_runs_a_while()
    {
        var times = new List<long>();
        using var host = new FakeHost(Guest);
        host.Respond = (mpidr, exit) =>
        {
            times.Add(Environment.TickCount64);
            host.Machine.AttentionWanted(mpidr, times.Count < 4);
            return times.Count < 4 ? null : None(answer => answer.Load = new() { Pc = Handler });
        };
        host.Machine.AttentionWanted(0, true);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 100, $"{pair.Second - pair.First} ms"));
        Assert.Equal(3, host.GivenUp.Count);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Spin();
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public async Task A_core_that_the_kernel_has_stopped_makes_no_exit_until_it_runs()
    {
        using var host = Attending(Guest, cores: 2, with: options => options with { Psci = PsciOwner.Kernel });
        host.Machine.AttentionWanted(1, true);
        var end = host.Begin();
        // It is looked at, more than once, and left alone.
        await Until(() => host.Kvm.Vms[0].Vcpus.Count == 2 && host.Kvm.Vms[0].Vcpus[1].Runs >= 3);
        Assert.Empty(host.Exits);
        host.Kvm.Vms[0].Vcpus[1].TrySwitchOn(Kernel + 0x2000, 3);
        Assert.Equal(new MachineEnd.PoweredOff(), await end.Soon());
        Assert.Equal((1ul, Exit.KindOneofCase.Attention, Kernel + 0x2000), host.Exits.Select(exit => (exit.Mpidr, exit.Exit.KindCase, exit.Exit.Attention?.Registers.Pc ?? 0)).First());
        Assert.Equal("Started 1 0", host.Told.First());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Spin();
            Assert.Equal(1, cpu.Number);
            // The kernel's own.
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_core_that_is_off_is_stopped_at_its_first_instruction()
    {
        using var host = new FakeHost(Guest, cores: 2);
        host.Respond = (mpidr, exit) =>
        {
            if (exit.Attention is null)
            {
                return new() { Values = new(), PowerOn = new() { Core = 1, EntryPoint = Kernel + 0x3000, ContextId = 5 } };
            }
            host.Machine.AttentionWanted(mpidr, false);
            return None(answer => answer.Load = new() { Pc = Handler });
        };
        host.Machine.AttentionWanted(1, true);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        var (mpidr, first) = host.Exits.First(exit => exit.Mpidr == 1);
        Assert.Equal((Kernel + 0x3000, 5ul), (first.Attention.Registers.Pc, first.Attention.Registers.X[0]));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 0)
            {
                cpu.With(CpuOn);
                yield return FakeStep.Smc();
                yield return FakeStep.Spin();
            }
            Assert.Equal(Handler, cpu.Pc);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void A_refused_start_leaves_the_registers_of_a_guest_that_made_no_call()
    {
        using var host = new FakeHost(Guest, cores: 2)
        {
            Respond = (_, exit) => exit.Attention is null
                ? new() { Values = new(), AttendBeforeResume = true }
                : None(answer => answer.PowerOn = new() { Core = 0, EntryPoint = Kernel, IfRefused = 99 }),
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal("Refused 0 2", host.Told.Single());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
            Assert.Equal(0ul, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void Attention_of_a_core_that_is_not_there_is_nobodys()
    {
        using var host = new FakeHost(PowersOff);
        host.Machine.AttentionWanted(7, true);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Single(host.Exits);

        static IEnumerable<FakeStep> PowersOff(FakeVcpu cpu) => [PowerOff(cpu)];
    }

    // Enters the handler once, and suspends who asks for it.
    private static FakeHost Attending(GuestProgram guest, bool wanted = false, Action<FakeHost>? onSuspend = null, int cores = 1, Func<KvmOptions, KvmOptions>? with = null)
    {
        var host = new FakeHost(guest, cores, with);
        host.Respond = (mpidr, exit) =>
        {
            switch (exit.KindCase)
            {
                case Exit.KindOneofCase.Attention:
                    host.Machine.AttentionWanted(mpidr, false);
                    return None(answer => answer.Load = new() { Registers = { new Register { Index = 0, Value = 77 } }, Pc = Handler });
                case Exit.KindOneofCase.Hypercall when exit.Hypercall.X0 == CpuSuspend:
                    onSuspend?.Invoke(host);
                    return new() { Values = new(), Suspend = new() };
                default:
                    return None();
            }
        };
        host.Machine.AttentionWanted(0, wanted);
        return host;
    }

    private static async Task Until(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            await Task.Delay(2, patience.Token);
        }
    }

    /// <summary>A step, and something at its end, before KVM_RUN comes back.</summary>
    private sealed class Then(FakeStep step, Action after) : FakeStep
    {
        public override Done Do(FakeVcpu cpu)
        {
            var done = step.Do(cpu);
            after();
            return done;
        }
    }
}
