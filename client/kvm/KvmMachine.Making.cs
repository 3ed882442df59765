using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Kvm.Vcpus;
using Hypercalls.Protos;

namespace Hypercalls.Kvm;

/// <summary>How one is made, and what it says of itself.</summary>
public sealed partial class KvmMachine
{
    private const ulong AffinityMask = 0xff_00ff_ffff;

    private static readonly (string Name, ulong Id)[] s_identity =
    [
        ("MIDR_EL1", KvmRegisterId.MidrEl1), ("ID_AA64PFR0_EL1", KvmRegisterId.IdAa64Pfr0El1), ("ID_AA64PFR1_EL1", KvmRegisterId.IdAa64Pfr1El1),
        ("ID_AA64DFR0_EL1", KvmRegisterId.IdAa64Dfr0El1), ("ID_AA64ISAR0_EL1", KvmRegisterId.IdAa64Isar0El1), ("ID_AA64ISAR1_EL1", KvmRegisterId.IdAa64Isar1El1),
        ("ID_AA64ISAR2_EL1", KvmRegisterId.IdAa64Isar2El1), ("ID_AA64MMFR0_EL1", KvmRegisterId.IdAa64Mmfr0El1), ("ID_AA64MMFR1_EL1", KvmRegisterId.IdAa64Mmfr1El1),
        ("ID_AA64MMFR2_EL1", KvmRegisterId.IdAa64Mmfr2El1),
    ];

    /// <summary>Makes the machine on this computer's KVM.</summary>
    /// <exception cref="HostException">It cannot be, with a sentence for a person.</exception>
    public static KvmMachine Start(KvmOptions options)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new HostException("KVM is Linux's: run without --accel kvm, which emulates the machine.");
        }
        return Start(options, new LinuxKernel());
    }

    /// <summary>Whether this computer's KVM can run guests whose calls are forwarded, in a sentence for a person.</summary>
    public static (bool Runs, string Detail) Probe() => OperatingSystem.IsLinux() ? Probe(new LinuxKernel()) : (false, "KVM is Linux's.");

    public MachineBoot WaitForBoot()
    {
        try
        {
            return Describe();
        }
        catch (Exception e) when (e is KvmException or IOException)
        {
            throw new HostException(e.Message, e);
        }
    }

    internal static (bool Runs, string Detail) Probe(IKernel kernel)
    {
        try
        {
            using var kvm = Interface.Kvm.Open(kernel);
            using var vm = kvm.CreateVm();
            return !vm.HasFilter ? (false, BuiltVm.NoFilter(kvm.Release))
                : !vm.HasGic ? (false, BuiltVm.NoGic)
                : (true, $"/dev/kvm of Linux {kvm.Release} runs arm64 guests and forwards their calls: run --accel kvm.");
        }
        catch (KvmException e)
        {
            return (false, e.Message);
        }
    }

    internal static KvmMachine Start(KvmOptions options, IKernel kernel)
    {
        Interface.Kvm? kvm = null;
        try
        {
            kvm = Interface.Kvm.Open(kernel);
            return new(options, kvm);
        }
        catch (Exception e) when (e is KvmException or IOException)
        {
            kvm?.Dispose();
            throw new HostException(e.Message, e);
        }
        catch
        {
            kvm?.Dispose();
            throw;
        }
    }

    private static void Check(KvmOptions options, IKvm kvm)
    {
        if (options.Cores is < 1 or > MostCores)
        {
            throw new HostException($"{options.Cores} cores: this host runs 1 to {MostCores}.") { IsBadInput = true };
        }
        if (options.MemoryMiB is < 16 or > 255 << 10)
        {
            throw new HostException($"{options.MemoryMiB} MiB of memory: this host runs 16 MiB to 255 GiB.") { IsBadInput = true };
        }
        if (options.ClientEl != 1)
        {
            throw new HostException($"A guest at EL{options.ClientEl}: on KVM this host runs them at EL1. Without --accel kvm it runs them at EL2 too.") { IsBadInput = true };
        }
        var mostMiB = ((1L << kvm.AddressBits) - (long)KvmRam.Base) >> 20;
        if (options.MemoryMiB > mostMiB)
        {
            throw new HostException($"--memory {options.MemoryMiB}: on this machine KVM's guests have {kvm.AddressBits} bits of physical address, and RAM begins at 0x{KvmRam.Base:x}. Give at most {mostMiB}, or run without --accel kvm, which emulates the machine.") { IsBadInput = true };
        }
    }

    private static ulong Mpidr(IKvmVcpu vcpu) => vcpu.TryGet(KvmRegisterId.MpidrEl1, out var mpidr) ? mpidr & AffinityMask : throw new HostException("KVM tells no MPIDR.");

    private MachineBoot Describe()
    {
        var firmware = _vm!.Firmware(_options);
        var identity = s_identity.Where(register => _vm.Vcpus[0].TryGet(register.Id, out _))
            .Select(register => KeyValuePair.Create(register.Name, _vm.Vcpus[0].TryGet(register.Id, out var value) ? value : 0));
        return new(
            _boot,
            [.. _vcpus.Select(vcpu => vcpu.Mpidr)],
            KvmRam.Base,
            _ram.Size,
            _options.ClientEl,
            _files.Guest.IsAArch32 ? ExecutionState.Aarch32 : ExecutionState.Aarch64,
            [Conduit.Smc, Conduit.Hvc],
            [],
            [.. identity],
            KvmRegister.Of(firmware),
            $"KVM of Linux {_kvm.Release}");
    }
}
