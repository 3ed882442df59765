using System.Globalization;
using Hypercalls.Sdk;
using Dice = Hypercalls.Tests.Psci.Dice;

namespace Hypercalls.Tests.Sdei;

/// <summary>A platform: as plain numbers for the model, as settings and description for the service.</summary>
internal sealed class ModelPlatform
{
    public ModelPlatform()
    {
    }

    /// <summary>Drawn at random.</summary>
    public ModelPlatform(Dice dice)
    {
        Minor = dice.OneIn(3) ? 0 : 1;
        ClientEl = dice.OneIn(4) ? 2 : 1;
        Cores = DrawCores(dice);
        Events = [.. s_events.Where(_ => !dice.OneIn(4)).OrderBy(_ => dice.Next())];
        Interrupts = dice.Below(6) switch
        {
            0 => [],
            1 => [new(40, 41)],
            2 => [new(16, 31)],
            _ => [new(20, 30), new(32, 40), new(1000, 1019)],
        };
        (PrivateSlots, SharedSlots) = (dice.Below(4), dice.Below(4));
        HasSsbs = dice.OneIn(2);
        HasNmi = dice.OneIn(2);
        // When PAN is set at EL2 depends on more than a host tells.
        HasPan = ClientEl == 1 && dice.OneIn(2);
        Mte = dice.Below(4);
    }

    private static readonly PlatformEvent[] s_events =
    [
        new(804, IsShared: false, IsCritical: false),
        new(0x4000_0001, IsShared: false, IsCritical: true),
        new(0x4000_0002, IsShared: true, IsCritical: false),
        new(0x4000_0003, IsShared: true, IsCritical: true),
        new(0x40FF_FFFF, IsShared: true, IsCritical: false),
    ];

    /// <summary>Of SDEI 1.x.</summary>
    public int Minor { get; init; } = 1;

    public int ClientEl { get; init; } = 1;

    /// <summary>Their affinities; the first boots.</summary>
    public ulong[] Cores { get; init; } = [0, 1];

    /// <summary>Beside event 0.</summary>
    public PlatformEvent[] Events { get; init; } = s_events;

    public InterruptRange[] Interrupts { get; init; } = [new(20, 31), new(32, 63)];

    public int PrivateSlots { get; init; } = 3;

    public int SharedSlots { get; init; } = 3;

    public bool HasSsbs { get; init; }

    public bool HasNmi { get; init; }

    public bool HasPan { get; init; }

    /// <summary>0 to 3: whether there is MTE, and how much of it.</summary>
    public int Mte { get; init; }

    public MachineDescription Description => new()
    {
        Name = "model",
        Cores = [.. Cores.Select((core, i) => new Core(Mpidr.FromRegister(core), i == 0 ? CorePower.On : CorePower.Off))],
        Ram = [new(0x4000_0000, 0x4000_0000)],
        ClientEl = ClientEl,
        Interrupts = [.. Interrupts],
        IdRegisters =
        [
            new("ID_AA64PFR0_EL1", 0x0001_0000_0000_1122),
            new("ID_AA64PFR1_EL1", (HasSsbs ? 2ul : 0) << 4 | (ulong)Mte << 8 | (HasNmi ? 1ul : 0) << 36),
            new("ID_AA64MMFR1_EL1", (HasPan ? 3ul : 0) << 20),
        ],
    };

    public Service Service => Sdei.Service(Minor, Events, PrivateSlots, SharedSlots);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"SDEI 1.{Minor} at EL{ClientEl}, cores {Hex(Cores)}, events {Hex(Events.Select(one => (ulong)one.Number))}, interrupts {string.Join(" ", Interrupts)}, slots {PrivateSlots} and {SharedSlots}");

    private static string Hex(IEnumerable<ulong> values) => string.Join(" ", values.Select(value => value.ToString("X", CultureInfo.InvariantCulture)));

    private static ulong[] DrawCores(Dice dice)
    {
        ulong[][] shapes = [[0, 1, 2, 3], [0, 1, 0x100, 0x101], [0x12_0003_0201, 0x100, 1, 0]];
        return [.. dice.OneOf(shapes).Take(1 + dice.Below(4))];
    }
}
