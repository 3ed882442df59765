namespace Hypercalls.Client.Kernel;

/// <summary>The filter ranges that a KVM host must install (Linux, Documentation/virt/kvm/devices/vm.rst, KVM_ARM_VM_SMCCC_FILTER).</summary>
public static class ForwardRanges
{
    // The Arm Architecture calls: the kernel gives these to nobody.
    private static readonly (uint First, uint Last)[] s_reserved = [(0x8000_0000, 0x8000_FFFF), (0xC000_0000, 0xC000_FFFF)];

    /// <summary>Everything that a kernel can forward.</summary>
    public static IReadOnlyList<FilterRange> All { get; } = Of([(0, uint.MaxValue)]);

    /// <summary>Whether the kernel keeps a function to itself whatever the filter says.</summary>
    /// <param name="id">The function.</param>
    /// <returns>True for the Arm Architecture calls.</returns>
    public static bool IsReserved(uint id) => Array.Exists(s_reserved, range => id >= range.First && id <= range.Last);

    /// <summary>The ranges that forward these functions: sorted, adjacent ones merged, the reserved ones cut out.</summary>
    /// <param name="wanted">First and last of each range that is to be forwarded, in any order; they may overlap.</param>
    /// <returns>What to install, one call each.</returns>
    public static IReadOnlyList<FilterRange> Of(IEnumerable<(uint First, uint Last)> wanted)
    {
        var ranges = new List<FilterRange>();
        foreach (var (first, last) in wanted.SelectMany(range => WithoutReserved(range.First, range.Last)).Order())
        {
            if (ranges is [.., var before] && first <= before.Last + 1ul)
            {
                ranges[^1] = before with { Last = Math.Max(before.Last, last) };
            }
            else
            {
                ranges.Add(new(first, last, FilterAction.Forward));
            }
        }

        return ranges;
    }

    private static IEnumerable<(uint First, uint Last)> WithoutReserved(uint first, uint last)
    {
        ulong next = first;
        foreach (var reserved in s_reserved)
        {
            if (next < reserved.First)
            {
                if (last < reserved.First)
                {
                    break;
                }

                yield return ((uint)next, reserved.First - 1);
            }

            next = Math.Max(next, reserved.Last + 1ul);
        }

        if (next <= last)
        {
            yield return ((uint)next, last);
        }
    }
}
