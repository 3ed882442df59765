using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Judges any service by the rules that hold for every one: in a test, <c>Assert.Empty(SanityRun.Of(() => new AcmeService()).Faults)</c>.</summary>
public static class SanityRun
{
    /// <summary>Judges a service. A few seconds, on a thread of its own; one that hangs ends the run and is a fault.</summary>
    /// <param name="make">Makes the service anew, each time the same.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <returns>A verdict for each rule, and the faults.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Fewer or more calls than there can be, or times that are none.</exception>
    public static SanityReport Of(Func<Service> make, SanityOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(make);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Calls, SanityOptions.FewestCalls, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Calls, SanityOptions.MostCalls, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.SlowAfter, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.LongAfter, TimeSpan.Zero, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.HangsAfter, TimeSpan.Zero, nameof(options));
        return new Judgement(make, options).Report();
    }
}
