using Hypercalls.Protos;

namespace Hypercalls.Qemu;

/// <summary>The interrupts of this host's machine that services can take from the guest: its PPIs and SPIs without those of the secure devices, which the monitor has.</summary>
internal static class OfferedInterrupts
{
    /// <summary>Without the secure timer (29), the secure GPIO's (32) and the doorbell (40); the machine has 256 SPIs.</summary>
    public static IReadOnlyList<InterruptRange> Ranges { get; } =
    [
        new() { First = 16, Last = 28 },
        new() { First = 30, Last = 31 },
        new() { First = 33, Last = 39 },
        new() { First = 41, Last = 287 },
    ];

    public static bool Contain(uint intid)
    {
        foreach (var range in Ranges)
        {
            if (intid >= range.First && intid <= range.Last)
            {
                return true;
            }
        }
        return false;
    }
}
