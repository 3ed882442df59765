using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>Which immediates a range is about.</summary>
internal enum ImmediateRule : byte
{
    Any = 1,
    Zero = 2,
    NotZero = 3,
}

/// <summary>What the kernel does with a call.</summary>
internal enum Disposition : byte
{
    Kernel = 1,
    Forwarded = 2,
    Denied = 3,
    ClaimedButUnserved = 4,
    Unserved = 5,
}

/// <summary>One range of a host's kernel register.</summary>
internal readonly record struct KernelRange(
    Conduit Conduit, bool IsAArch32, ImmediateRule Immediate, uint First, uint Last, Disposition Disposition, string Reason);
