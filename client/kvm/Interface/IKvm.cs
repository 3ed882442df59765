using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Kvm.Interface;

/// <summary>/dev/kvm. What it refuses is a <see cref="KvmException"/> with a sentence, here as in all that it makes.</summary>
internal interface IKvm : IDisposable
{
    /// <summary>Of the kernel: "6.12.107+deb13-arm64".</summary>
    string Release { get; }

    /// <summary>Bits of guest-physical address that the machines have which it makes.</summary>
    int AddressBits { get; }

    /// <summary>KVM_CHECK_EXTENSION: 0 for what there is not.</summary>
    int Extension(KvmCapability capability);

    IKvmVm CreateVm();

    /// <summary>Memory for a guest; throws <see cref="IOException"/>.</summary>
    IKernelMemory Map(ulong size);
}

/// <summary>A machine of KVM. Any thread may call it.</summary>
internal interface IKvmVm : IDisposable
{
    /// <summary>KVM_HAS_DEVICE_ATTR: whether this kernel has the SMCCC filter.</summary>
    bool HasFilter { get; }

    /// <summary>KVM_CREATE_DEVICE_TEST: whether this kernel can make a GICv3 here.</summary>
    bool HasGic { get; }

    /// <summary>Installs one range, for good: before any vCPU has run.</summary>
    void SetFilter(FilterRange range);

    void Enable(KvmCapability capability);

    /// <summary>Makes it RAM at a guest-physical address.</summary>
    void SetMemory(ulong address, IKernelMemory memory);

    /// <summary>Its MPIDR follows from the number.</summary>
    IKvmVcpu CreateVcpu(int number, VcpuFeatures features);

    /// <summary>A GICv3, after all vCPUs: distributor of 64 KiB, redistributors of 128 KiB each.</summary>
    void CreateGic(ulong distributor, ulong redistributors, uint interrupts);

    /// <summary>The level of a shared interrupt, 32 and above.</summary>
    void SetInterrupt(uint intid, bool level);
}

/// <summary>A vCPU of KVM. One thread calls it; <see cref="Kick"/> alone is for any thread.</summary>
internal interface IKvmVcpu : IDisposable
{
    /// <summary>As it was when KVM_RUN last came back.</summary>
    RunPage Page { get; }

    /// <summary>ioctls made for this vCPU.</summary>
    long Ioctls { get; }

    /// <summary>Kicks given so far.</summary>
    uint Kicks { get; }

    MpState MpState { get; set; }

    /// <summary>KVM_ARM_VCPU_INIT: every register as out of reset.</summary>
    void Init(VcpuFeatures features);

    /// <summary>False for a register that this kernel has not.</summary>
    bool TryGet(ulong id, out ulong value);

    void Get(ReadOnlySpan<ulong> ids, Span<ulong> values);

    void Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values);

    void SetDebug(GuestDebug control);

    /// <summary>Runs the guest until the next exit, or a kick after those the caller has seen.</summary>
    /// <param name="kicksSeen">Value of <see cref="Kicks"/> before the caller looked for work.</param>
    /// <param name="setIds">Registers written before.</param>
    /// <param name="setValues">Their values.</param>
    /// <param name="data">What the guest's read of a device found; empty where it made none.</param>
    /// <param name="getIds">Registers read after a hypercall and no other exit.</param>
    /// <param name="getValues">Receives them.</param>
    ExitReason Run(uint kicksSeen, ReadOnlySpan<ulong> setIds, ReadOnlySpan<ulong> setValues, ReadOnlySpan<byte> data, ReadOnlySpan<ulong> getIds, Span<ulong> getValues);

    /// <summary>Finishes an access to a device, which KVM does at its next run: before PC is touched.</summary>
    void Complete(ReadOnlySpan<byte> data);

    /// <summary>Ends the run, or the next one that has not seen it.</summary>
    void Kick();
}
