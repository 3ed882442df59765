using System.Globalization;

namespace Hypercalls.Qemu.Process;

/// <summary>When a process was started, as Linux tells it (man 5 proc, /proc/pid/stat): with its number it names a process for good.</summary>
internal static class ProcessStart
{
    private const int State = 0;
    private const int StartTime = 19;

    /// <summary>In ticks since the machine's start; 0 where there is no such process, it has ended but not been waited for, or nobody tells.</summary>
    public static ulong Of(int process)
    {
        try
        {
            // Behind the name, which may hold anything.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[State] is "Z" or "X" ? 0 : ulong.Parse(fields[StartTime], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return 0;
        }
    }
}
