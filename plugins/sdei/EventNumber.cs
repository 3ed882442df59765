using System.Globalization;

namespace Hypercalls.Sdei;

/// <summary>The number of an event: bit 31 zero, bit 30 vendor, 29:24 zero, 23:0 the number (DEN0054, Event number allocation).</summary>
/// <param name="Value">32 bits.</param>
public readonly record struct EventNumber(uint Value)
{
    private const uint Reserved = 0xBF00_0000;

    /// <summary>Event 0, which every instance has: private, of normal priority, and the only one that EVENT_SIGNAL takes.</summary>
    public static EventNumber SoftwareSignalled => default;

    /// <summary>Whether it is a number that an event can have.</summary>
    public bool IsValid => (Value & Reserved) == 0;

    /// <summary>The number of the event that an interrupt is bound to: 0x4010_0000 and up for private slots, 0x4020_0000 and up for shared ones.</summary>
    /// <param name="type">Private for interrupts 16 to 31, else shared.</param>
    /// <param name="slot">From 0.</param>
    /// <returns>A number in the vendor's range, where those of bound events must be.</returns>
    public static EventNumber OfSlot(EventType type, int slot) => new((type == EventType.Private ? FirstPrivate : FirstShared) + (uint)slot);

    /// <summary>Whether it is kept for bound events.</summary>
    public bool IsOfSlot => Value is >= FirstPrivate and < FirstPrivate + SlotNumbers or >= FirstShared and < FirstShared + SlotNumbers;

    private const uint FirstPrivate = 0x4010_0000;
    private const uint FirstShared = 0x4020_0000;
    private const uint SlotNumbers = 0x1_0000;

    /// <summary>Decimal in the standard range, else hexadecimal.</summary>
    /// <returns>0, 804, 0x4000_0001.</returns>
    public override string ToString() => Value < 0x100_0000
        ? Value.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"0x{Value >> 16:X4}_{Value & 0xFFFF:X4}");
}
