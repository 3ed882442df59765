using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Vcpus;

namespace Hypercalls.Kvm;

/// <summary>A machine of KVM with its filter, RAM, vCPUs and GIC, for one boot: a reset is a new one.</summary>
internal sealed class BuiltVm : IDisposable
{
    private readonly IKvmVm _vm;
    private readonly List<IKvmVcpu> _vcpus = [];

    private BuiltVm(IKvmVm vm) => _vm = vm;

    public IReadOnlyList<IKvmVcpu> Vcpus => _vcpus;

    /// <summary>Builds it; throws <see cref="HostException"/> and <see cref="KvmException"/> with a sentence.</summary>
    public static BuiltVm Build(IKvm kvm, KvmOptions options, GuestKind guest, KvmRam ram)
    {
        if (guest.IsAArch32 && kvm.Extension(KvmCapability.ArmEl132Bit) == 0)
        {
            throw new HostException("This CPU knows no AArch32 at EL1: an AArch32 kernel cannot start on it.") { IsBadInput = true };
        }
        var built = new BuiltVm(kvm.CreateVm());
        try
        {
            built.SetUp(kvm, options, guest, ram);
            return built;
        }
        catch
        {
            built.Dispose();
            throw;
        }
    }

    /// <summary>What decides which calls the kernel keeps; the filter it does not give back.</summary>
    public KvmFirmware Firmware(KvmOptions options)
    {
        var vcpu = _vcpus[0];
        return new()
        {
            HasFilter = _vm.HasFilter,
            PsciVersion = (uint)Read(KvmRegisterId.PsciVersion),
            StdBitmap = Read(KvmRegisterId.StdBitmap),
            StdHypBitmap = Read(KvmRegisterId.StdHypBitmap),
            VendorHypBitmap = Read(KvmRegisterId.VendorHypBitmap),
            Filter = options.Filter,
        };

        ulong Read(ulong id) => vcpu.TryGet(id, out var value) ? value : 0;
    }

    public void SetInterrupt(uint intid, bool level) => _vm.SetInterrupt(intid, level);

    /// <summary>When no thread runs a vCPU of it.</summary>
    public void Dispose()
    {
        foreach (var vcpu in _vcpus)
        {
            vcpu.Dispose();
        }
        _vm.Dispose();
    }

    public static string NoFilter(string release) =>
        $"The kernel {release} has no SMCCC filter, so it forwards no call to anybody: Linux 6.4 or newer has it. Boot such a kernel, or run without --accel kvm, which emulates the machine.";

    public const string NoGic = "KVM makes no GICv3 on this machine, whose own interrupt controller is of another kind (GICv2, say): use a machine with GICv3, or run without --accel kvm, which emulates it.";

    private void SetUp(IKvm kvm, KvmOptions options, GuestKind guest, KvmRam ram)
    {
        if (!_vm.HasFilter)
        {
            throw new HostException(NoFilter(kvm.Release));
        }
        if (!_vm.HasGic)
        {
            throw new HostException(NoGic);
        }
        if (kvm.Extension(KvmCapability.ArmNisvToUser) > 0)
        {
            // An access that it cannot decode becomes an exit that says where, and not a refusal to run.
            _vm.Enable(KvmCapability.ArmNisvToUser);
        }
        foreach (var range in options.Filter)
        {
            _vm.SetFilter(range);
        }
        _vm.SetMemory(KvmRam.Base, ram.Memory);
        for (var number = 0; number < options.Cores; number++)
        {
            // A core that is off waits in this process; with PSCI in the kernel it waits there.
            var isOff = number > 0 && options.Psci == PsciOwner.Kernel;
            _vcpus.Add(_vm.CreateVcpu(number, VcpuRegisters.Features(guest) | (isOff ? VcpuFeatures.PowerOff : VcpuFeatures.None)));
        }
        _vm.CreateGic(KvmBoard.Distributor, KvmBoard.Redistributors, KvmBoard.Interrupts);
    }
}
