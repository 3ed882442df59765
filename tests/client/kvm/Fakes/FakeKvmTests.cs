using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>The fake itself: each test is something that real kernels, 6.12 and 7.2, were seen to do.</summary>
public sealed class FakeKvmTests : IDisposable
{
    private readonly List<FakeStep> _steps = [];
    private readonly FakeKvm _kvm;
    private readonly FakeVm _vm;

    public FakeKvmTests()
    {
        _kvm = new(_ => _steps);
        _vm = (FakeVm)_kvm.CreateVm();
    }

    // reserved; reserved at its end; one's own again; overlap; wrap; another action
    [Theory]
    [InlineData(0x8000_0000u, 0x8000_0000u, FilterAction.Forward, 17)]
    [InlineData(0x7fff_ffffu, 0xc000_0000u, FilterAction.Deny, 17)]
    [InlineData(0x8400_0000u, 0x8400_001fu, FilterAction.Forward, 17)]
    [InlineData(0x8400_001fu, 0x8400_0020u, FilterAction.Handle, 17)]
    [InlineData(6u, 5u, FilterAction.Forward, 22)]
    [InlineData(5u, 6u, (FilterAction)3, 22)]
    public void Refuses_ranges_as_the_kernel(uint first, uint last, FilterAction action, int errno)
    {
        _vm.SetFilter(new(0x8400_0000, 0x8400_001f, FilterAction.Forward));
        Assert.Equal(errno, Assert.Throws<KvmException>(() => _vm.SetFilter(new(first, last, action))).Errno);
        Assert.Single(_vm.Filter);
    }

    [Fact]
    public void The_filter_is_closed_when_a_vCPU_has_run()
    {
        using var cpu = Create(FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        _vm.SetFilter(new(1, 1, FilterAction.Forward));
        Run(cpu);
        cpu.Init(VcpuFeatures.Psci02);
        Assert.Equal(16, Assert.Throws<KvmException>(() => _vm.SetFilter(new(2, 2, FilterAction.Forward))).Errno);
    }

    [Fact]
    public void A_forwarded_call_whose_registers_stay_gives_the_guest_its_own_function()
    {
        _vm.SetFilter(new(0xc600_0000, 0xc600_00ff, FilterAction.Forward));
        using var cpu = Create(FakeStep.Hvc(5), FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        cpu.With(0xc600_0001, 1, 2, 3);
        Assert.Equal(ExitReason.Hypercall, Run(cpu));
        Assert.Equal((0xc600_0001u, false), cpu.Page.Hypercall);
        // args and ret.
        Assert.All(cpu.Page.Bytes[40..96].ToArray(), value => Assert.Equal(0, value));
        Assert.Equal(4ul, cpu.Pc);
        Run(cpu);
        Assert.Equal((0xc600_0001ul, 1ul, 2ul, 3ul), cpu.Results);
    }

    [Fact]
    public void An_access_moves_PC_when_it_is_finished_whatever_is_in_it()
    {
        using var cpu = Create(FakeStep.Read(0x900_0000, 2, register: 7), FakeStep.Write(0x900_0000, 4, 1), FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        Assert.Equal(ExitReason.Mmio, Run(cpu));
        Assert.Equal(0ul, cpu.Pc);
        cpu.Set([KvmRegisterId.Pc], [0x1000]);
        Assert.Equal(ExitReason.Mmio, cpu.Run(cpu.Kicks, [], [], [1, 2, 3, 4], [], []));
        Assert.Equal((0x1004ul, 0x201ul), (cpu.Pc, cpu.X(7)));
        cpu.Complete([]);
        cpu.Set([KvmRegisterId.Pc], [0x2000]);
        Run(cpu);
        Assert.Equal(0x2000ul, cpu.Pc);
    }

    [Fact]
    public void A_kick_before_the_run_finishes_an_access_and_runs_nothing()
    {
        using var cpu = Create(FakeStep.Write(0x900_0000, 4, 1), FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        Run(cpu);
        var seen = cpu.Kicks;
        cpu.Kick();
        Assert.Equal(ExitReason.Interrupted, cpu.Run(seen, [], [], [], [], []));
        Assert.Equal((4ul, ExitReason.Interrupted), (cpu.Pc, cpu.Page.Reason));
        Assert.Equal((ExitReason)99, Run(cpu));
    }

    [Fact]
    public async Task A_stopped_vCPU_stays_in_the_kernel_until_it_is_kicked()
    {
        using var cpu = (FakeVcpu)_vm.CreateVcpu(0, VcpuFeatures.Psci02 | VcpuFeatures.PowerOff);
        var run = Task.Run(() => Run(cpu));
        Assert.NotSame(run, await Task.WhenAny(run, Task.Delay(100)));
        cpu.Kick();
        Assert.Equal(ExitReason.Interrupted, await run.Soon());
        Assert.Equal(MpState.Stopped, cpu.State);
    }

    [Fact]
    public async Task A_suspended_vCPU_wakes_for_an_interrupt_and_stays_suspended_until_it_is_told_otherwise()
    {
        using var cpu = Create(FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        await Task.Factory.StartNew(
            () =>
            {
                cpu.MpState = MpState.Suspended;
                using var waker = new Timer(_ => cpu.Wake(), null, 50, Timeout.Infinite);
                for (var n = 0; n < 2; n++)
                {
                    Assert.Equal(ExitReason.SystemEvent, Run(cpu));
                    Assert.Equal((KvmSystemEvent.Wakeup, 0), (cpu.Page.SystemEvent, cpu.Page.SystemEventData.Length));
                }
                cpu.MpState = MpState.Runnable;
                Assert.Equal((ExitReason)99, Run(cpu));
            },
            TaskCreationOptions.LongRunning).Soon();
    }

    [Fact]
    public void Another_thread_may_kick_and_nothing_else()
    {
        using var cpu = Create(FakeStep.Exit(page => FakePage.Words(page, 99, [])));
        Run(cpu);
        Exception? thrown = null;
        var other = new Thread(() =>
        {
            cpu.Kick();
            thrown = Record.Exception(() => cpu.Set([KvmRegisterId.Pc], [1]));
        });
        other.Start();
        other.Join();
        Assert.IsType<InvalidOperationException>(thrown);
        Assert.Single(_kvm.Violations);
        _kvm.Violations.Clear();
    }

    [Theory]
    [InlineData(0x8400_0008ul, KvmSystemEvent.Shutdown, 0ul)]
    [InlineData(0x8400_0009ul, KvmSystemEvent.Reset, 0ul)]
    [InlineData(0xc400_0012ul, KvmSystemEvent.Reset, 1ul)]
    internal void The_kernels_own_power_functions_stop_every_vCPU(ulong function, KvmSystemEvent expected, ulong flags)
    {
        using var cpu = Create(FakeStep.Smc());
        using var other = (FakeVcpu)_vm.CreateVcpu(1, VcpuFeatures.Psci02);
        cpu.With(function);
        Assert.Equal(ExitReason.SystemEvent, Run(cpu));
        Assert.Equal((expected, flags, ulong.MaxValue - 5), (cpu.Page.SystemEvent, cpu.Page.SystemEventData.Single(), cpu.X0));
        Assert.Equal((MpState.Stopped, MpState.Stopped), (cpu.State, other.State));
    }

    public void Dispose()
    {
        _vm.Dispose();
        _kvm.Dispose();
        Assert.Empty(_kvm.Violations);
        Assert.Equal(0, _kvm.Open);
    }

    private FakeVcpu Create(params FakeStep[] steps)
    {
        _steps.AddRange(steps);
        return (FakeVcpu)_vm.CreateVcpu(_vm.Vcpus.Count, VcpuFeatures.Psci02);
    }

    private static ExitReason Run(FakeVcpu cpu) => cpu.Run(cpu.Kicks, [], [], [], [], []);
}
