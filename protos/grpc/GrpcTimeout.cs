using System.Globalization;

namespace Hypercalls.Grpc;

/// <summary>The value of grpc-timeout: at most eight digits and a unit (gRPC over HTTP/2, Timeout).</summary>
public static class GrpcTimeout
{
    private const long LargestNumber = 99_999_999;

    // Ticks are 100 ns, so nanoseconds stand apart.
    private static readonly (char Unit, long Ticks)[] s_units =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// <summary>In the finest unit that holds it, rounded up; nothing and less becomes the shortest timeout there is.</summary>
    public static string Format(TimeSpan timeout)
    {
        if (timeout.Ticks <= 0)
        {
            return "1n";
        }

        foreach (var (unit, ticks) in s_units)
        {
            var number = ((timeout.Ticks - 1) / ticks) + 1;
            if (number <= LargestNumber)
            {
                return number.ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return LargestNumber.ToString(CultureInfo.InvariantCulture) + "H";
    }

    /// <summary>False unless the text is one to eight digits and one of H, M, S, m, u, n.</summary>
    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        if (text[^1] == 'n')
        {
            timeout = TimeSpan.FromTicks((number + 99) / 100);
            return true;
        }

        foreach (var (unit, ticks) in s_units)
        {
            if (unit == text[^1])
            {
                timeout = TimeSpan.FromTicks(number * ticks);
                return true;
            }
        }

        return false;
    }
}
