using Hypercalls.Client.Kernel;
using Hypercalls.Hosts;

namespace Hypercalls.Kvm;

/// <summary>The SMCCC filter of a machine: all that can be forwarded is, so that services loaded later are reached, but what the kernel is to keep or to refuse.</summary>
internal static class KvmFilter
{
    // PSCI's of both widths, fast and yielding: the kernel takes them all, and serves those it has.
    private static readonly (uint First, uint Last)[] s_psci =
    [
        (0x0400_0000, 0x0400_001F), (0x4400_0000, 0x4400_001F), (0x8400_0000, 0x8400_001F), (0xC400_0000, 0xC400_001F),
    ];

    /// <summary>Sorted ranges, to be installed one by one.</summary>
    /// <exception cref="HostException">A denied range ends before it begins, overlaps another, or touches those that the kernel reserves.</exception>
    public static IReadOnlyList<FilterRange> Of(PsciOwner psci, IReadOnlyList<(uint First, uint Last)> deny)
    {
        (uint First, uint Last)[] denied = [.. deny.Order()];
        for (var n = 0; n < denied.Length; n++)
        {
            var (first, last) = denied[n];
            var fault = last < first ? "ends before it begins"
                : ForwardRanges.Of([denied[n]]) is not [var whole] || (whole.First, whole.Last) != (first, last) ? "touches 0x80000000 to 0x8000FFFF or 0xC0000000 to 0xC000FFFF, which the kernel gives to nobody"
                : n > 0 && first <= denied[n - 1].Last ? "overlaps another"
                : null;
            if (fault is not null)
            {
                throw new HostException($"The range 0x{first:X8} to 0x{last:X8} cannot be denied: it {fault}. Name ranges that stand apart, outside of the reserved ones.") { IsBadInput = true };
            }
        }
        (uint First, uint Last)[] kept = [.. denied.Concat(psci == PsciOwner.Kernel ? s_psci : []).Order()];
        return
        [
            .. ForwardRanges.Of(Between(kept)).Concat(denied.Select(range => new FilterRange(range.First, range.Last, FilterAction.Deny))).OrderBy(range => range.First),
        ];
    }

    private static IEnumerable<(uint First, uint Last)> Between((uint First, uint Last)[] kept)
    {
        var next = 0ul;
        foreach (var (first, last) in kept)
        {
            if (next < first)
            {
                yield return ((uint)next, first - 1);
            }
            next = Math.Max(next, last + 1ul);
        }
        if (next <= uint.MaxValue)
        {
            yield return ((uint)next, uint.MaxValue);
        }
    }
}
