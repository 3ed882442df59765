namespace Hypercalls.Bench.Guests;

/// <summary>What the guest tells, or its host of it.</summary>
/// <param name="What">As the guest has it (tests/Guest/sdei_latency.c).</param>
/// <param name="A">Its first value.</param>
/// <param name="B">Its second.</param>
internal readonly record struct Told(What What, ulong A, ulong B);

/// <summary>What happened.</summary>
internal enum What : ulong
{
    /// <summary>Nothing: it is about the counter alone.</summary>
    Counted = 0,

    /// <summary>Handlers stand; A is the address behind the WFI.</summary>
    Ready = 1,

    /// <summary>A function gave A.</summary>
    Refused = 2,

    /// <summary>A handler was entered when the counter was B; the event was signalled at A.</summary>
    Handled = 3,

    /// <summary>The same, but its core was not where it is meant to be.</summary>
    HandledElsewhere = 4,

    /// <summary>Not by the guest: the doorbell's exit came when the clock was A, and the guest was at B.</summary>
    Stopped = 5,
}
