using System.Globalization;

namespace Hypercalls.Tests.Psci;

/// <summary>One call, drawn at random: mostly sensible, often beside it.</summary>
internal readonly record struct ModelCall(uint Id, ulong X1, ulong X2, ulong X3, bool IsAArch32)
{
    private const ulong Entry = 0x4008_0000;

    private static readonly ulong[] s_oddities =
        [0, 1, 2, 3, 4, 5, 0xFF, 0x1000, 0xFFFF, Entry, 0x7FFF_FFFC, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x8000_0000_0000_0000, ulong.MaxValue];

    // Often what changes states, seldom what ends the boot.
    private static readonly uint[] s_numbers =
        [0x00, 0x01, 0x01, 0x01, 0x01, 0x02, 0x02, 0x03, 0x03, 0x03, 0x03, 0x03, 0x04, 0x04, 0x06, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0D, 0x0E, 0x0F, 0x0F, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15];

    /// <summary>A function of PSCI, with arguments that suit it more often than not.</summary>
    public static ModelCall Draw(Dice dice, ModelPlatform platform)
    {
        var number = dice.OneOf(s_numbers);
        var (x1, x2, x3) = Arguments(number, dice, platform);
        var isAArch32 = dice.OneIn(8);
        var id = 0x8400_0000 | number | (dice.OneIn(isAArch32 ? 16 : 2) ? 0x4000_0000u : 0) | (dice.OneIn(20) ? 0x1_0000u : 0);
        return new(id, Soil(dice, x1), Soil(dice, x2), Soil(dice, x3), isAArch32);
    }

    /// <summary>Any identifier in and around PSCI's range, any registers.</summary>
    public static ModelCall DrawAny(Dice dice, ModelPlatform platform)
    {
        var id = dice.Below(12) switch
        {
            0 => 0x8402_0000 | (uint)dice.Below(0x20) | (uint)dice.Below(0x40) << 17,
            1 => (uint)dice.Below(2) << 30 | 0x0400_0000 | (uint)dice.Below(0x20),
            2 => 0x95C1_BA5E + (uint)dice.Below(4),
            3 => dice.OneOf(0x8300_0003, 0x8500_0003u, 0xC300_0001, 0xC500_0001, 0x8400_0100, 0xC400_0103, 0x8400_1003),
            _ => 0x8400_0000 | (uint)dice.Below(0x28) | (uint)dice.Below(2) << 30 | (uint)dice.Below(8) / 7 << 16,
        };
        return new(id, Any(dice, platform), Any(dice, platform), Any(dice, platform), dice.OneIn(3));
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"0x{Id:X}(0x{X1:X}, 0x{X2:X}, 0x{X3:X}){(IsAArch32 ? " from AArch32" : "")}");

    private static (ulong X1, ulong X2, ulong X3) Arguments(uint number, Dice dice, ModelPlatform platform) => number switch
    {
        0x01 => (State(dice, platform), EntryPoint(dice), 7),
        0x03 => (Target(dice, platform), EntryPoint(dice), 7),
        0x04 or 0x0D => (Target(dice, platform), dice.OneOf<ulong>(0, 0, 0, 1, 2, 3, 4, 0xFFFF_FFFF), 0),
        0x0A => (0x8400_0000 | (uint)dice.Below(0x18) | (uint)dice.Below(2) << 30, 0, 0),
        0x0C or 0x0E => (EntryPoint(dice), 7, 0),
        0x0F => (dice.OneOf<ulong>(0, 1, 1, 2), 0, 0),
        0x10 or 0x11 => (Target(dice, platform), State(dice, platform), 0),
        0x12 => (dice.OneOf<ulong>(0, 1, 0x7FFF_FFFF, 0x8000_0000, 0x8000_1234, 0xFFFF_FFFF), dice.OneOf<ulong>(0, 0x99), 0),
        0x13 => (dice.OneOf<ulong>(0, 1, 2), 0, 0),
        0x14 => (dice.OneOf(Entry, 0x4000_0000ul, 0x3FFF_FFFFul, 0x5FFF_FFFFul, 0x7FFF_FFFFul), dice.OneOf<ulong>(0, 1, 2, 0x1000, 0x1000_0001, 0x4000_0000), 0),
        0x15 => (dice.OneOf<ulong>(0, 1, 2, 0x8000_0001), dice.OneOf<ulong>(0, 0, 1), 0),
        _ => (0, 0, 0),
    };

    private static ulong Target(Dice dice, ModelPlatform platform) => dice.Below(12) switch
    {
        0 => dice.OneOf(platform.Cores) | 1ul << dice.Below(64),
        1 => dice.OneOf(s_oddities),
        _ => dice.OneOf(platform.Cores),
    };

    private static ulong EntryPoint(Dice dice) => dice.Below(12) switch
    {
        0 => Entry + (ulong)dice.Below(4),
        1 => dice.OneOf(s_oddities),
        2 => dice.OneOf(0x3FFF_FFFCul, 0x8000_0000ul, 0x5FFF_FFFEul, 0x6000_0000ul),
        _ => Entry,
    };

    private static ulong State(Dice dice, ModelPlatform platform) => platform.States.Count == 0 || dice.OneIn(16)
        ? dice.OneOf(s_oddities)
        : platform.States.Keys.ElementAt(dice.Below(platform.States.Count)) ^ (dice.OneIn(12) ? 1u << dice.Below(32) : 0);

    private static ulong Soil(Dice dice, ulong register) => dice.OneIn(24) ? register | dice.Next() << 32 : register;

    private static ulong Any(Dice dice, ModelPlatform platform) => dice.Below(6) switch
    {
        0 => Target(dice, platform),
        1 => EntryPoint(dice),
        2 => State(dice, platform),
        3 => dice.Next(),
        4 => dice.Next() >> dice.Below(64),
        _ => dice.OneOf(s_oddities),
    };
}
