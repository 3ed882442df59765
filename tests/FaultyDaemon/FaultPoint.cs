using System.Diagnostics;
using System.Globalization;

namespace Hypercalls.Daemon;

/// <summary>Kills this process, as kill −9 does, at the place and the time that HYPERCALLS_FAULT says: AfterCommit:17 is the 17th commit.</summary>
internal static partial class FaultPoint
{
    private static readonly (string Place, int Left) s_fault = Parse(Environment.GetEnvironmentVariable("HYPERCALLS_FAULT") ?? "");
    private static int s_left = s_fault.Left;

    static partial void Reached(string place)
    {
        if (place == s_fault.Place && Interlocked.Decrement(ref s_left) == 0)
        {
            Process.GetCurrentProcess().Kill();
            // Nothing of this call goes on meanwhile.
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private static (string Place, int Left) Parse(string fault)
    {
        var parts = fault.Split(':');
        return parts.Length == 2 ? (parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture)) : ("", 0);
    }
}
