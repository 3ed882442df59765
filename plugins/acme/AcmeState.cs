using Hypercalls.Sdk;

namespace Hypercalls.Acme;

/// <summary>The measurements of one machine. Version 2: version 1 had a single slot.</summary>
public sealed record AcmeState
{
    /// <summary>Their number.</summary>
    public const int SlotCount = 8;

    /// <summary>Slots 0 to 7.</summary>
    public ValueArray<Slot> Slots { get; init; } = [.. Enumerable.Repeat(new Slot(), SlotCount)];

    /// <summary>Quotes made since the reset.</summary>
    public uint Quotes { get; init; }

    /// <summary>Measurements that a lock has kept out.</summary>
    public uint Refused { get; init; }
}

/// <summary>One measurement register.</summary>
public sealed record Slot
{
    /// <summary>SHA-256, 64 hexadecimal digits.</summary>
    public string Digest { get; init; } = new('0', 64);

    /// <summary>Measurements that went into it.</summary>
    public uint Count { get; init; }

    /// <summary>Takes no more until the next reset.</summary>
    public bool IsLocked { get; init; }
}
