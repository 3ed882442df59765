using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What the kernel of a host keeps for itself, complete over conduit, execution state, immediate and w0.</summary>
internal sealed class KernelRegisterRanges : IKernelShare
{
    private static readonly KernelRange Nothing = new(Conduit.Smc, false, ImmediateRule.Any, 0, uint.MaxValue, Disposition.Forwarded, "");

    private readonly Dictionary<(Conduit, bool IsAArch32, bool IsZero), KernelRange[]> _spaces;

    private KernelRegisterRanges(Dictionary<(Conduit, bool, bool), KernelRange[]> spaces) => _spaces = spaces;

    /// <summary>A machine without a kernel of its own below it: everything is forwarded.</summary>
    public static KernelRegisterRanges AllForwarded { get; } = new([]);

    /// <summary>Checks that each space is sorted, without overlap and complete.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static KernelRegisterRanges FromSorted(KernelRange[] ranges)
    {
        var spaces = new Dictionary<(Conduit, bool, bool), KernelRange[]>();
        foreach (var conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc])
        {
            foreach (var isAArch32 in (bool[])[false, true])
            {
                foreach (var isZero in (bool[])[true, false])
                {
                    var other = isZero ? ImmediateRule.NotZero : ImmediateRule.Zero;
                    KernelRange[] space = [.. ranges.Where(r => r.Conduit == conduit && r.IsAArch32 == isAArch32 && r.Immediate != other)];
                    Check(space, conduit, isAArch32);
                    spaces[(conduit, isAArch32, isZero)] = space;
                }
            }
        }

        return new(spaces);
    }

    /// <summary>The ranges of one space, in order.</summary>
    public ReadOnlySpan<KernelRange> Of(Conduit conduit, bool isAArch32, bool isZero) =>
        _spaces.TryGetValue((conduit, isAArch32, isZero), out var space) ? space : new ReadOnlySpan<KernelRange>(in Nothing);

    /// <summary>The range of one call.</summary>
    public KernelRange Find(Conduit conduit, bool isAArch32, ushort immediate, uint w0)
    {
        var space = Of(conduit, isAArch32, immediate == 0);
        var (low, high) = (0, space.Length - 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = space[middle].Last < w0 ? (middle + 1, high) : (low, middle);
        }

        return space[low];
    }

    /// <inheritdoc/>
    public KernelAnswer Of(FunctionId id, Conduit conduit, bool isAArch32) => Find(conduit, isAArch32, 0, id.Value).Disposition switch
    {
        Disposition.Kernel => KernelAnswer.Answered,
        Disposition.Forwarded => KernelAnswer.Forwarded,
        _ => KernelAnswer.Refused,
    };

    private static void Check(KernelRange[] space, Conduit conduit, bool isAArch32)
    {
        ulong next = 0;
        foreach (var range in space)
        {
            if (range.First != next || range.Last < range.First)
            {
                throw new FormatException($"{conduit}, {(isAArch32 ? "AArch32" : "AArch64")}: the range at 0x{range.First:X8} does not follow 0x{next:X8} in order, without overlap or gap.");
            }

            next = range.Last + 1ul;
        }

        if (next != 1ul << 32)
        {
            throw new FormatException($"{conduit}, {(isAArch32 ? "AArch32" : "AArch64")}: the ranges end at 0x{next:X8}, not at the end of w0.");
        }
    }
}
