using System.Globalization;
using Dice = Hypercalls.Tests.Psci.Dice;

namespace Hypercalls.Tests.Sdei;

/// <summary>One call, drawn at random: mostly sensible, often beside it.</summary>
internal readonly record struct ModelCall(uint Id, ulong[] X, ulong Pstate)
{
    private const ulong Entry = 0xFFFF_8000_1000_0000;

    private static readonly ulong[] s_oddities =
        [0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 0xFF, 1019, 1020, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x4010_0000, 0x4020_0003, 0x8000_0000_0000_0000, ulong.MaxValue];

    // Often what leads to a handler, seldom what takes everything away.
    private static readonly uint[] s_often =
    [
        Ids.EventRegister, Ids.EventRegister, Ids.EventRegister, Ids.EventRegister, Ids.EventEnable, Ids.EventEnable, Ids.EventEnable, Ids.EventEnable,
        Ids.EventEnable, Ids.PeUnmask, Ids.PeUnmask, Ids.PeUnmask, Ids.EventSignal, Ids.EventSignal, Ids.EventSignal, Ids.InterruptBind, Ids.InterruptBind,
        Ids.EventComplete, Ids.EventComplete, Ids.EventCompleteAndResume, Ids.EventRoutingSet, Ids.EventGetInfo,
    ];

    /// <summary>A function of SDEI, with arguments that suit it more often than not.</summary>
    public static ModelCall Draw(Dice dice, ModelPlatform platform, IReadOnlyList<uint> events)
    {
        var id = dice.OneIn(3) ? Ids.Version + (uint)dice.Below(0x13) : dice.OneOf(s_often);
        ulong[] x = [id, 0, 0, 0, 0, 0];
        Arguments(id, dice, platform, events).CopyTo(x, 1);
        for (var i = 1; i < x.Length; i++)
        {
            x[i] |= dice.OneIn(40) ? dice.Next() << 32 : 0;
        }

        return new(id | (dice.OneIn(20) ? 0x1_0000u : 0), x, Caller(dice, platform));
    }

    /// <summary>Any identifier in and around SDEI's range, any registers.</summary>
    public static ModelCall DrawAny(Dice dice, ModelPlatform platform, IReadOnlyList<uint> events)
    {
        var id = dice.Below(10) switch
        {
            0 => 0x8400_0020 + (uint)dice.Below(0x20),
            1 => 0xC402_0020 | (uint)dice.Below(0x40) << 17,
            2 => 0xC400_0033 + (uint)dice.Below(0xD),
            3 => dice.OneOf<uint>(0xC300_0021, 0xC500_0021, 0xC400_001F, 0xC400_0040, 0x4400_0021, 0xC400_0121),
            _ => Ids.Version + (uint)dice.Below(0x13),
        };
        ulong[] x = [id, .. Enumerable.Range(1, 5).Select(_ => Any(dice, platform, events))];
        return new(id, x, dice.OneIn(8) ? dice.OneOf<ulong>(0x1D3, 0x3C4, 0x3C8, 0x3CD, 0, 0x10, ulong.MaxValue) : Caller(dice, platform));
    }

    public override string ToString() =>
        $"0x{Id.ToString("X", CultureInfo.InvariantCulture)}({string.Join(", ", X.Skip(1).Select(Hex))}) with PSTATE {Hex(Pstate)}";

    private static string Hex(ulong value) => $"0x{value.ToString("X", CultureInfo.InvariantCulture)}";

    private static ulong[] Arguments(uint id, Dice dice, ModelPlatform platform, IReadOnlyList<uint> events) => id switch
    {
        Ids.EventRegister => [Event(dice, events), EntryPoint(dice), dice.Next(), Flags(dice), Target(dice, platform)],
        Ids.EventGetInfo => [Event(dice, events), (ulong)dice.Below(6)],
        Ids.EventRoutingSet => [Event(dice, events), (ulong)dice.Below(9) / 4, Target(dice, platform)],
        Ids.EventEnable or Ids.EventDisable or Ids.EventUnregister or Ids.EventStatus or Ids.InterruptRelease => [Event(dice, events)],
        Ids.EventContext => [(ulong)dice.Below(20)],
        Ids.EventCompleteAndResume => [EntryPoint(dice)],
        Ids.InterruptBind => [dice.OneIn(6) ? dice.OneOf(s_oddities) : dice.OneOf<ulong>(20, 27, 30, 32, 33, 40, 41, 1000, 1019)],
        Ids.EventSignal => [dice.OneIn(12) ? Event(dice, events) : 0, Target(dice, platform)],
        Ids.Features => [dice.OneIn(6) ? dice.OneOf(s_oddities) : (ulong)dice.Below(3)],
        _ => [],
    };

    private static ulong Event(Dice dice, IReadOnlyList<uint> events) => dice.Below(16) switch
    {
        0 => dice.OneOf(s_oddities),
        1 => 0x4010_0000 + (ulong)dice.Below(5),
        2 => 0x4020_0000 + (ulong)dice.Below(5),
        3 or 4 or 5 => 0,
        _ => events[dice.Below(events.Count)],
    };

    private static ulong EntryPoint(Dice dice) => dice.Below(12) switch
    {
        0 => Entry + (ulong)dice.Below(4),
        1 => dice.OneOf(s_oddities),
        2 => 0,
        _ => Entry + 4 * (ulong)dice.Below(64),
    };

    private static ulong Flags(Dice dice) => dice.OneIn(16) ? 1ul << dice.Below(64) : dice.OneOf<ulong>(0, 0, 0, 1, 1, 2, 3);

    private static ulong Target(Dice dice, ModelPlatform platform) => dice.Below(14) switch
    {
        0 => dice.OneOf(platform.Cores) | 1ul << dice.Below(64),
        1 => dice.OneOf(s_oddities),
        _ => dice.OneOf(platform.Cores),
    };

    private static ulong Caller(Dice dice, ModelPlatform platform) => dice.OneIn(40)
        ? dice.OneOf<ulong>(0x3C5, 0x3C9, 0x3C4, 0x3C0, 0x1D3)
        : (platform.ClientEl == 2 ? 0x3C9ul : 0x3C5) ^ (dice.OneIn(4) ? 1u : 0);

    private static ulong Any(Dice dice, ModelPlatform platform, IReadOnlyList<uint> events) => dice.Below(6) switch
    {
        0 => Target(dice, platform),
        1 => EntryPoint(dice),
        2 => Event(dice, events),
        3 => dice.Next(),
        4 => dice.Next() >> dice.Below(64),
        _ => dice.OneOf(s_oddities),
    };
}
