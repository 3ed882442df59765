using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>One thing that happens to a machine. A closed family; what makes no sense at its time is left out when it is played.</summary>
internal abstract record Step
{
    private Step()
    {
    }

    /// <summary>A core calls.</summary>
    public sealed record Call(int Core, FunctionId Id) : Step
    {
        /// <summary>x1 upwards; what is left out is 0.</summary>
        public ValueArray<ulong> Arguments { get; init; }

        /// <summary>Bits 63:32 of w0, and of arguments that are 32 bits wide.</summary>
        public uint UpperHalves { get; init; }

        public Conduit Conduit { get; init; } = Conduit.Hvc;

        public ushort Immediate { get; init; }

        public bool IsAArch32 { get; init; }

        public Fate Fate { get; init; }
    }

    /// <summary>A core stops for an interrupt that fired, or because it is wanted.</summary>
    public sealed record Attend(int Core, uint? Intid, Fate Fate) : Step;

    /// <summary>The host reports a core.</summary>
    public sealed record Report(int Core, CoreChange Change) : Step
    {
        public override string ToString() => $"core {Core}: {Change.ToString().ToLowerInvariant()}";
    }

    /// <summary>The machine is reset.</summary>
    public sealed record Reset(ResetKind Kind) : Step
    {
        public override string ToString() => $"a {Kind.ToString().ToLowerInvariant()} reset";
    }

    /// <summary>The host attaches again, with the cores as at first.</summary>
    public sealed record Attach : Step
    {
        public override string ToString() => "the host attaches again";
    }

    /// <summary>An operator raises an event.</summary>
    public sealed record Raise(ulong Event, int? Core) : Step
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"an operator raises 0x{Event:x}{(Core is { } core ? $" at core {core}" : "")}");
    }

    /// <summary>An operator looks at tables and device tree.</summary>
    public sealed record Look : Step
    {
        public override string ToString() => "an operator looks at it";
    }

    /// <summary>Time passes.</summary>
    public sealed record Pass(TimeSpan Time) : Step
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time.TotalMilliseconds} ms pass");
    }
}

/// <summary>What a host makes of an answer.</summary>
internal enum Fate : byte
{
    /// <summary>It does what the answer asks.</summary>
    Applied,

    /// <summary>The core cannot be started, the interrupt not be taken.</summary>
    Refused,

    /// <summary>The guest got its fallback.</summary>
    FellBack,
}
