using Hypercalls.Protos;

namespace Hypercalls.Hosts.Caller;

/// <summary>One call that the caller is to make.</summary>
/// <param name="Conduit">By SMC or by HVC.</param>
/// <param name="Immediate">Of the instruction.</param>
/// <param name="X">x0 upwards, at most 18; those above are zero.</param>
public sealed record CallerCall(Conduit Conduit, ushort Immediate, IReadOnlyList<CallerArgument> X)
{
    /// <summary>The A64 instruction (DDI 0487, SMC and HVC).</summary>
    internal uint Instruction => (Conduit == Conduit.Hvc ? 0xd400_0002u : 0xd400_0003u) | (uint)Immediate << 5;
}

/// <summary>A value, or the address of memory that holds these bytes.</summary>
/// <param name="Value">Where there is no memory.</param>
/// <param name="Memory">What lies at the address before the call; null for a value.</param>
public readonly record struct CallerArgument(ulong Value, ReadOnlyMemory<byte>? Memory = null);
