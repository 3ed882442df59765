using Hypercalls.Hosts;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>How a machine ends, whatever its vCPUs do at that moment.</summary>
public sealed class KvmMachineEndTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task Stops_a_guest_that_runs_one_that_sleeps_and_one_that_is_off()
    {
        using var host = new FakeHost(Guest, cores: 3)
        {
            Respond = (_, exit) => exit.Hypercall.X0 == CpuOn
                ? new() { Values = new(), PowerOn = new() { Core = 1, EntryPoint = Kernel } }
                : new() { Values = new(), Suspend = new() },
        };
        var end = host.Begin();
        await Until(() => host.Machine.Now().Cores.Select(core => core.Power).SequenceEqual([CorePower.On, CorePower.Suspended, CorePower.Off]));
        host.Machine.Stop();
        Assert.Equal(new MachineEnd.Stopped(), await end.Soon());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(cpu.Number == 0 ? CpuOn : CpuSuspend);
            yield return FakeStep.Smc();
            yield return FakeStep.Spin();
        }
    }

    [Fact]
    public void Ends_at_once_when_it_was_stopped_before_it_ran()
    {
        using var host = new FakeHost(Spins);
        host.Machine.Stop();
        Assert.Equal(new MachineEnd.Stopped(), host.Run());
        Assert.All(host.Kvm.Vms[0].Vcpus, vcpu => Assert.Equal(0, vcpu.Runs));
    }

    [Fact]
    public void A_stop_whose_kick_comes_just_before_kicks_are_counted_is_not_slept_through()
    {
        var times = 0;
        var kvm = new FakeKvm(Spins)
        {
            KicksAreRead = vcpu =>
            {
                // The first time it starts the core, the second it runs it.
                if (++times == 2)
                {
                    vcpu.Vm.Kvm.Machine.Stop();
                }
            },
        };
        using var host = new FakeHost(Spins, endPatience: s_short, kvm: kvm);
        Assert.Equal(new MachineEnd.Stopped(), host.Run());
        Assert.Equal((2, 0), (times, kvm.Vms[0].Vcpus[0].Runs));
    }

    [Fact]
    public async Task Comes_back_while_an_exit_is_still_being_forwarded_and_applies_nothing_of_its_answer()
    {
        using var answered = new ManualResetEventSlim();
        using var host = new FakeHost(Guest, endPatience: s_short)
        {
            Respond = (_, _) =>
            {
                answered.Wait();
                return new() { Values = new() { X0 = 5 }, MemoryWrites = { new MemoryBlock { Base = Kernel, Data = Google.Protobuf.ByteString.CopyFrom(9) } } };
            },
        };
        var end = host.Begin();
        await Until(() => !host.Exits.IsEmpty);
        host.Machine.Stop();
        Assert.Equal(new MachineEnd.Stopped(), await end.Soon());
        var vcpu = host.Kvm.Vms[0].Vcpus[0];
        Assert.Equal((Vendor, 1), (vcpu.X0, vcpu.Runs));
        answered.Set();
        await Until(() => HasEnded(host, vcpu));
        Assert.Equal((Vendor, 1), (vcpu.X0, vcpu.Runs));
        Assert.Empty(host.GivenUp);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
        }
    }

    [Fact]
    public async Task An_exit_that_is_never_answered_does_not_hold_up_the_end_and_nothing_is_unmapped_under_it()
    {
        using var answered = new ManualResetEventSlim();
        var host = new FakeHost(Guest, endPatience: s_short)
        {
            MayLeave = true,
            Respond = (_, _) =>
            {
                answered.Wait();
                return null;
            },
        };
        var end = host.Begin();
        await Until(() => !host.Exits.IsEmpty);
        host.Machine.Stop();
        Assert.Equal(new MachineEnd.Stopped(), await end.Soon());
        host.Dispose();
        Assert.Equal(1, host.Kvm.Mapped);
        Assert.StartsWith("An exit of vCPU 0 is still being forwarded", Assert.Single(host.Log), StringComparison.Ordinal);
        answered.Set();

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
        }
    }

    [Fact]
    public async Task A_vCPU_that_does_not_leave_KVM_RUN_is_left_there_with_a_sentence_and_its_memory()
    {
        using var release = new ManualResetEvent(false);
        var host = new FakeHost(cpu => [FakeStep.Deaf(release)], endPatience: s_short) { MayLeave = true };
        var end = host.Begin();
        await Until(() => host.Kvm.Vms[0].Vcpus[0].Runs > 0);
        host.Machine.Stop();
        Assert.Equal(new MachineEnd.Stopped(), await end.Soon());
        host.Dispose();
        Assert.Equal(
            $"vCPU 0 has not left KVM_RUN within 0.3 s of being told to: look for a fault of the kernel in dmesg, and end this process ({Environment.ProcessId}) if it stays. Its memory stays mapped until this process ends.",
            Assert.Single(host.Log));
        Assert.True(host.Kvm.Vms[0].Vcpus[0].IsInside);
        // /dev/kvm, machine, GIC and vCPU; RAM.
        Assert.Equal((4, 1), (host.Kvm.Open, host.Kvm.Mapped));
        release.Set();
    }

    [Fact]
    public async Task A_reset_that_a_vCPU_does_not_follow_fails_with_a_sentence()
    {
        using var release = new ManualResetEvent(false);
        var host = new FakeHost(Guest, cores: 2, endPatience: s_short)
        {
            MayLeave = true,
            Respond = (_, exit) => exit.Hypercall.X0 == CpuOn
                ? new() { Values = new(), PowerOn = new() { Core = 1, EntryPoint = Kernel } }
                : None(answer => answer.SystemEvent = new() { Type = SystemEventType.Reset }),
        };
        var failure = Assert.IsType<MachineEnd.Failed>(await host.Begin().Soon());
        Assert.StartsWith("vCPU 1 has not left KVM_RUN within 0.3 s of being told to", failure.Report, StringComparison.Ordinal);
        Assert.Single(host.Kvm.Vms);
        host.Dispose();
        Assert.Equal(1, host.Kvm.Mapped);
        release.Set();

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 1)
            {
                yield return FakeStep.Deaf(release);
            }
            cpu.With(CpuOn);
            yield return FakeStep.Smc();
            yield return FakeStep.SpinUntil(() => cpu.Vm.Vcpus[1].Runs > 0);
            cpu.With(SystemReset);
            yield return FakeStep.Smc();
        }
    }

    [Fact]
    public async Task Stops_a_guest_whose_output_nobody_takes()
    {
        using var taken = new ManualResetEventSlim();
        using var terminal = new Blocked(taken);
        using var host = new FakeHost(Prints, with: options => options with { Console = terminal }, endPatience: TimeSpan.FromMinutes(10));
        var end = host.Begin();
        var vcpu = host.Kvm.Vms[0].Vcpus[0];
        var before = -1;
        await Until(() => terminal.Writes == 1 && before == (before = vcpu.Runs));
        host.Machine.Stop();
        await Until(() => HasEnded(host, vcpu));
        taken.Set();
        Assert.Equal(new MachineEnd.Stopped(), await end.Soon());

        static IEnumerable<FakeStep> Prints(FakeVcpu cpu)
        {
            while (true)
            {
                yield return FakeStep.Write(0x0900_0000, 1, 'x');
            }
        }
    }

    [Fact]
    public void A_console_that_breaks_fails_the_machine()
    {
        using var terminal = new Broken();
        using var host = new FakeHost(Prints, with: options => options with { Console = terminal });
        Assert.Equal(new MachineEnd.Failed("The guest's console cannot be written: gone"), host.Run());

        static IEnumerable<FakeStep> Prints(FakeVcpu cpu)
        {
            yield return FakeStep.Write(0x0900_0000, 1, 'x');
            yield return FakeStep.Spin();
        }
    }

    private static IEnumerable<FakeStep> Spins(FakeVcpu cpu) => [FakeStep.Spin()];

    /// <summary>A thread that has ended is kicked no more.</summary>
    private static bool HasEnded(FakeHost host, FakeVcpu vcpu)
    {
        var before = vcpu.Kicks;
        host.Machine.AttentionWanted(0, true);
        return vcpu.Kicks == before;
    }

    private static async Task Until(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private sealed class Blocked(ManualResetEventSlim taken) : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writes++;
            taken.Wait();
        }
    }

    private sealed class Broken : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("gone");
    }
}
