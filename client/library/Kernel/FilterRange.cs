namespace Hypercalls.Client.Kernel;

/// <summary>One range of KVM's SMCCC filter (Linux, Documentation/virt/kvm/devices/vm.rst, KVM_ARM_VM_SMCCC_FILTER).</summary>
/// <param name="First">The first function ID.</param>
/// <param name="Last">The last one, not below the first.</param>
/// <param name="Action">What the kernel does with them.</param>
public readonly record struct FilterRange(uint First, uint Last, FilterAction Action);

/// <summary>What a kernel does with the calls of a filter range, by its own numbers.</summary>
public enum FilterAction : byte
{
    /// <summary>KVM_SMCCC_FILTER_HANDLE: as without a filter.</summary>
    Handle = 0,

    /// <summary>KVM_SMCCC_FILTER_DENY: NOT_SUPPORTED.</summary>
    Deny = 1,

    /// <summary>KVM_SMCCC_FILTER_FWD_TO_USER: an exit.</summary>
    Forward = 2,
}
