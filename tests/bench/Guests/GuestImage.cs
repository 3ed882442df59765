using System.Diagnostics;
using Hypercalls.Bench.Processes;

namespace Hypercalls.Bench.Guests;

/// <summary>A guest of tests/Guest, built for one measurement.</summary>
internal static class GuestImage
{
    /// <returns>The file.</returns>
    public static string Build(string folder, string program, string definitions)
    {
        var start = new ProcessStartInfo("sh", [Path.Combine(Built.Root, "tests", "Guest", "build.sh"), folder, program]);
        start.Environment["CPPFLAGS"] = definitions;
        Built.Run(start);
        return Path.Combine(folder, $"{program}.bin");
    }
}
