using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class VcpuRegistersTests : IDisposable
{
    private readonly FakeKvm _kvm = new(cpu => Program(cpu));
    private readonly FakeVm _vm;
    private readonly FakeVcpu _vcpu;
    private readonly VcpuRegisters _registers;

    public VcpuRegistersTests()
    {
        _vm = (FakeVm)_kvm.CreateVm();
        _vm.SetFilter(new(0xc600_0000, 0xc600_ffff, Hypercalls.Client.Kernel.FilterAction.Forward));
        _vcpu = (FakeVcpu)_vm.CreateVcpu(0, VcpuRegisters.Features(new()));
        _registers = new(_vcpu, new());
    }

    [Fact]
    public void A_register_is_read_once_and_when_it_is_asked_for()
    {
        _vcpu.With(5, 6);
        Assert.Equal(0, _vcpu.Ioctls);
        Assert.Equal((5ul, 5ul, 6ul), (_registers.GetGeneral(0), _registers.GetGeneral(0), _registers.GetGeneral(1)));
        Assert.Equal(2, _vcpu.Ioctls);
        _registers.FetchGeneral(0b1111);
        Assert.Equal(4, _vcpu.Ioctls);
        _ = _registers.GetGeneral(3);
        Assert.Equal(4, _vcpu.Ioctls);
    }

    [Fact]
    public void Only_what_changed_is_written_and_in_the_order_of_the_file()
    {
        _vcpu.With(5, 6, 7);
        _ = _registers.GetGeneral(0);
        _registers.Pc = 0x1000;
        _registers.SetGeneral(1, 6); // not known to be so: written
        _registers.SetGeneral(0, 5); // known
        Run();
        Assert.Equal([KvmRegisterId.X(1), KvmRegisterId.Pc], _vcpu.LastSet);
        Run();
        Assert.Empty(_vcpu.LastSet);
    }

    [Fact]
    public void A_run_forgets_what_was_read_and_a_call_brings_its_registers()
    {
        _ = _registers.GetGeneral(9);
        Run();
        var before = _vcpu.Ioctls;
        // By the guest, meanwhile.
        Assert.Equal((11ul, 0x3c5ul), (_registers.GetGeneral(1), _registers.Pstate));
        Assert.Equal(before, _vcpu.Ioctls);
        Assert.Equal((0xc600_0001ul, 99ul), (_registers.GetGeneral(0), _registers.GetGeneral(9)));
        Assert.Equal(before + 2, _vcpu.Ioctls);
        Assert.Null(_registers.KnownPc);
    }

    [Fact]
    public void PC_comes_along_after_a_call_that_needed_it()
    {
        Run(); // SMC
        Assert.Null(_registers.KnownPc);
        Run(); // HVC
        Assert.Null(_registers.KnownPc);
        Run(); // SMC again, after an HVC
        Assert.Equal(12ul, _registers.KnownPc);
        Run();
        Assert.Null(_registers.KnownPc);
    }

    [Fact]
    public void The_register_file_of_the_wire_is_whole()
    {
        for (var n = 0; n < 31; n++)
        {
            _vcpu[KvmRegisterId.X(n)] = 200 + (ulong)n;
        }
        ulong[] system = [KvmRegisterId.Pc, KvmRegisterId.Pstate, KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1, KvmRegisterId.VbarEl1, KvmRegisterId.SctlrEl1];
        for (var n = 0; n < system.Length; n++)
        {
            _vcpu[system[n]] = (ulong)n + 1;
        }
        Assert.Equal(
            new RegisterFile
            {
                X = { Enumerable.Range(0, 31).Select(n => 200 + (ulong)n) },
                Pc = 1,
                Pstate = 2,
                SpEl0 = 3,
                SpEl1 = 4,
                ElrElc = 5,
                SpsrElc = 6,
                VbarElc = 7,
                SctlrElc = 8,
            },
            _registers.ToWire());
        Assert.Equal(39, _vcpu.Ioctls);
    }

    [Theory]
    [InlineData(SystemRegister.SpEl0, KvmRegisterId.SpEl0)]
    [InlineData(SystemRegister.SpEl1, KvmRegisterId.SpEl1)]
    [InlineData(SystemRegister.ElrElc, KvmRegisterId.ElrEl1)]
    [InlineData(SystemRegister.SpsrElc, KvmRegisterId.SpsrEl1)]
    [InlineData(SystemRegister.VbarElc, KvmRegisterId.VbarEl1)]
    [InlineData(SystemRegister.SctlrElc, KvmRegisterId.SctlrEl1)]
    public void A_system_register_of_the_wire_is_the_one_at_the_guests_level(SystemRegister register, ulong id)
    {
        _vcpu[id] = 0x123;
        Assert.Equal(0x123ul, _registers.GetSystem(register));
        _registers.SetSystem(register, 0x456);
        Run();
        Assert.Equal((0x456ul, id), (_vcpu[id], _vcpu.LastSet.Single()));
    }

    [Fact]
    public void A_system_register_that_nobody_knows_is_none()
    {
        Assert.Null(_registers.GetSystem(SystemRegister.Unspecified));
        _registers.SetSystem((SystemRegister)7, 1);
        Run();
        Assert.Empty(_vcpu.LastSet);
    }

    [Fact]
    public void A_start_writes_entry_point_context_and_state_over_a_reset()
    {
        _vcpu.With(1, 2, 3);
        _registers.SetGeneral(4, 4);
        _registers.Start(new CoreStart(0x4060_0000, 77, default, 0));
        Assert.Equal(1, _vcpu.Inits);
        Run();
        // PSTATE first: while it says AArch32, KVM narrows all that is written.
        Assert.Equal([KvmRegisterId.Pstate, KvmRegisterId.X(0), KvmRegisterId.Pc], _vcpu.LastSet);
        Assert.Equal(0ul, _vcpu.X(4));
    }

    [Fact]
    public void An_access_is_finished_before_registers_are_written()
    {
        _vcpu.Access = (5, 4);
        _vcpu.Pc = 0x100;
        _registers.Complete([1, 2, 3, 4, 0, 0, 0, 0]);
        Assert.Equal((0x104ul, 0x0403_0201ul), (_registers.Pc, _registers.GetGeneral(5)));
        _registers.Pc = 0x2000;
        Run();
        Assert.Equal(0x2004ul, _vcpu.Pc); // the call's own step, and no other
    }

    public void Dispose()
    {
        _vcpu.Dispose();
        _vm.Dispose();
        _kvm.Dispose();
        Assert.Empty(_kvm.Violations);
    }

    private void Run() => Assert.Equal(ExitReason.Hypercall, _registers.Run(_vcpu.Kicks, []));

    private static IEnumerable<FakeStep> Program(FakeVcpu cpu)
    {
        for (var n = 0; ; n++)
        {
            cpu.With(0xc600_0001, 11);
            cpu[KvmRegisterId.X(9)] = 99;
            yield return n == 1 ? FakeStep.Hvc() : FakeStep.Smc();
        }
    }
}
