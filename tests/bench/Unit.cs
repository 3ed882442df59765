using System.Globalization;

namespace Hypercalls.Bench;

/// <summary>How a figure is written.</summary>
/// <param name="Name">Behind the number; for JSON too.</param>
/// <param name="Format">Of the number.</param>
internal sealed record Unit(string Name, string Format)
{
    public static Unit Microseconds { get; } = new("µs", "#,0.0");

    public static Unit Nanoseconds { get; } = new("ns", "#,0");

    public static Unit CallsPerCpuSecond { get; } = new("calls/CPU-s", "#,0");

    public static Unit Bytes { get; } = new("B", "#,0");

    public static Unit Kibibytes { get; } = new("KiB", "#,0.0");

    public static Unit Times { get; } = new("×", "0.00");

    public static Unit Ioctls { get; } = new("ioctls", "0.0");

    public string Of(double value) => $"{value.ToString(Format, CultureInfo.InvariantCulture)} {Name}";
}
