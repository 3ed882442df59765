namespace Hypercalls.Examples;

/// <summary>The guest: code that makes one call after the other, each time with registers of its own, and finds the results in them.</summary>
internal static class Guest
{
    public const ulong Boot = 0x4000_0000;
    private const ulong Second = 0x4000_1000;
    private const ulong Nowhere = 0x4000_2000;

    /// <summary>What stands where; it is given the context ID.</summary>
    public static readonly Dictionary<ulong, Func<ulong, IEnumerable<ulong[]>>> Code = new() { [Boot] = RunBoot, [Second] = RunSecond };

    private static IEnumerable<ulong[]> RunBoot(ulong contextId)
    {
        ulong[] x;
        yield return x = [0x8400_0000, 0, 0, 0, 0, 0]; // PSCI_VERSION
        Console.WriteLine($"core 0: PSCI {x[0] >> 16}.{x[0] & 0xFFFF}");
        yield return x = [0xC400_0001, 0, 0, 0, 0, 0]; // CPU_SUSPEND, which this host cannot apply
        Console.WriteLine($"core 0: CPU_SUSPEND gives {(long)x[0]}");
        foreach (var entryPoint in (ulong[])[Nowhere, Second])
        {
            yield return x = [0xC400_0003, 1, entryPoint, 7, 0, 0]; // CPU_ON: target, entry point, context ID
            var status = (long)x[0];
            do
            {
                yield return x = [0xC400_0004, 1, 0, 0, 0, 0]; // AFFINITY_INFO: target, lowest affinity level
            }
            while (x[0] is 0 or 2); // ON, ON_PENDING
            Console.WriteLine($"core 0: CPU_ON at 0x{entryPoint:x} gives {status}, then AFFINITY_INFO {x[0]}");
        }

        yield return [0x8400_0008, 0, 0, 0, 0, 0]; // SYSTEM_OFF
    }

    private static IEnumerable<ulong[]> RunSecond(ulong contextId)
    {
        Console.WriteLine($"core 1: started with {contextId}");
        yield return [0x8400_0002, 0, 0, 0, 0, 0]; // CPU_OFF
    }
}
