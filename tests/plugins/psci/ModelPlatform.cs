using System.Globalization;
using Hypercalls.Psci;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Psci;

/// <summary>A platform drawn at random: as plain numbers for the model, as settings and description for the service.</summary>
internal sealed class ModelPlatform
{
    private const int OnceInTen = 10;

    private static readonly int[][] s_levels = [[1], [2], [3], [3, 1], [3, 2], [3, 3], [3, 3, 2], [3, 3, 3], [2, 2], [1, 1, 1], [3, 3, 3, 3]];

    public ModelPlatform(Dice dice)
    {
        Version = dice.OneOf(0x0_0002, 0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003, 0x1_0003, 0x1_0003);
        IsExtended = Version >= 0x1_0000 && dice.OneIn(3);
        Cores = DrawCores(dice);
        Unavailable = [.. Cores.Skip(1).Where(_ => dice.OneIn(12))];
        Denied = [.. Cores.Where(_ => dice.OneIn(OnceInTen))];
        foreach (var (levels, number) in s_levels.Select((levels, number) => (levels, number)))
        {
            if (dice.Below(3) > 0)
            {
                var stateId = number == 0 ? 0 : (uint)(number * 0x11);
                States[Parameter(stateId, levels)] = (stateId, levels);
            }
        }

        foreach (var type in new uint[] { 0x8000_0000, 0x8000_1234, 0xFFFF_FFFF })
        {
            if (dice.OneIn(2))
            {
                VendorShutsDown[type] = dice.OneIn(2);
            }
        }

        Ram = dice.Below(OnceInTen) switch
        {
            0 => [],
            1 or 2 => [(0x4000_0000, 0x1000_0000), (0x5000_0000, 0x1000_0000), (0x8000_0000, 0x1000)],
            _ => [(0x4000_0000, 0x4000_0000)],
        };
        ServesSmccc = dice.OneIn(2);
    }

    /// <summary>As PSCI_VERSION says it.</summary>
    public int Version { get; }

    public bool IsExtended { get; }

    /// <summary>Their affinities; the first boots.</summary>
    public ulong[] Cores { get; }

    public HashSet<ulong> Unavailable { get; }

    public HashSet<ulong> Denied { get; }

    /// <summary>power_state, and the depth of the core and of its nodes: 1 standby, 2 retention, 3 powerdown.</summary>
    public Dictionary<uint, (uint StateId, int[] Levels)> States { get; } = [];

    /// <summary>Vendor-specific types of SYSTEM_RESET2.</summary>
    public Dictionary<uint, bool> VendorShutsDown { get; } = [];

    public (ulong Base, ulong Size)[] Ram { get; }

    public bool ServesSmccc { get; }

    public PsciSettings Settings => new()
    {
        Version = new(Version >> 16, Version & 0xFFFF),
        StateIdFormat = IsExtended ? StateIdFormat.Extended : StateIdFormat.Original,
        SuspendStates =
        [
            .. States.Values.Select(state => new SuspendState
            {
                Name = string.Create(CultureInfo.InvariantCulture, $"state-{state.StateId}"),
                StateId = state.StateId,
                Levels = [.. state.Levels.Select(level => (LocalState)level)],
            }),
        ],
        DeniedCores = [.. Denied.Select(Mpidr.FromRegister)],
        VendorResets =
        [
            .. VendorShutsDown.Select(reset => new VendorReset
            {
                Type = reset.Key,
                Action = reset.Value ? VendorResetAction.Shutdown : VendorResetAction.Reset,
            }),
        ],
    };

    public MachineDescription Description => Listing(Cores.Select((core, i) =>
        (core, Unavailable.Contains(core) ? CorePower.Unavailable : i == 0 ? CorePower.On : CorePower.Off)));

    public MachineDescription Listing(IEnumerable<(ulong Affinity, CorePower Power)> cores) => new()
    {
        Name = "model",
        Cores = [.. cores.Select(core => new Core(Mpidr.FromRegister(core.Affinity), core.Power))],
        Ram = [.. Ram.Select(range => new MemoryRange(range.Base, range.Size))],
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"version 0x{Version:X}, cores {string.Join(" ", Cores.Select(core => core.ToString("X", CultureInfo.InvariantCulture)))}, states {string.Join(" ", States.Keys.Select(key => key.ToString("X", CultureInfo.InvariantCulture)))}");

    private uint Parameter(uint stateId, int[] levels) => IsExtended
        ? stateId | (levels[0] == 3 ? 0x4000_0000u : 0)
        : stateId | (levels[0] == 3 ? 0x0001_0000u : 0) | (uint)(levels.Length - 1) * 0x0100_0000;

    private static ulong[] DrawCores(Dice dice)
    {
        ulong[] clusters = dice.OneIn(3) ? [0x0, 0x1_0000, 0x1_0000_0000] : [0x0, 0x100, 0x1_0100];
        var inUse = 1 + dice.Below(3);
        var number = 1 + dice.Below(8);
        return [.. Enumerable.Range(0, number).Select(i => clusters[i % inUse] + (ulong)(i / inUse))];
    }
}
