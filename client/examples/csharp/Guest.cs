namespace Hypercalls.Examples;

/// <summary>The guest: per entry point code that makes one call after the other and finds the results in x.</summary>
internal static class Guest
{
    public const ulong Boot = 0x4000_0000;

    private const ulong Second = 0x4000_1000;

    /// <summary>What stands at an address; null where nothing does.</summary>
    public static Func<ulong[], IEnumerable<ulong[]>>? CodeAt(ulong address) => address switch
    {
        Boot => RunBoot,
        Second => RunSecond,
        _ => null,
    };

    private static IEnumerable<ulong[]> RunBoot(ulong[] x)
    {
        yield return [0x8400_0000]; // PSCI_VERSION
        Console.WriteLine($"core 0: PSCI {x[0] >> 16}.{x[0] & 0xFFFF}");
        yield return [0xC400_0003, 1, Second, 7]; // CPU_ON: target, entry point, context ID
        do
        {
            yield return [0xC400_0004, 1, 0]; // AFFINITY_INFO: ON, OFF or ON_PENDING
        }
        while (x[0] is 0 or 2);
        Console.WriteLine($"core 0: AFFINITY_INFO of core 1 is {x[0]}");
        yield return [0x8400_0008]; // SYSTEM_OFF
    }

    private static IEnumerable<ulong[]> RunSecond(ulong[] x)
    {
        Console.WriteLine($"core 1: started with {x[0]}");
        yield return [0x8400_0002]; // CPU_OFF
    }
}
