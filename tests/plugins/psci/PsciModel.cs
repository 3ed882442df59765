using Hypercalls.Sdk;

namespace Hypercalls.Tests.Psci;

/// <summary>
/// What PSCI is expected to remember and to say, after DEN0022 and the choices that its README names: plain numbers, one rule per
/// line, no code of the service. Depths are 0 run, 1 standby, 2 retention, 3 powerdown, 4 off.
/// </summary>
internal sealed partial class PsciModel
{
    private const int Run = 0;
    private const int PoweredDown = 3;
    private const int Down = 4;

    private static readonly ulong[] s_masks = [0xFF_00FF_FFFF, 0xFF_00FF_FF00, 0xFF_00FF_0000, 0xFF_0000_0000];

    private readonly ModelPlatform _platform;
    private readonly Dictionary<ulong, (uint Number, Answer Answer, DateTimeOffset At)> _last = [];
    private List<ModelNode> _nodes = [];
    private bool _isOsInitiated;
    private bool _wasOsInitiated;
    private bool _hasSuspended;
    private bool _isProtected;
    private ulong? _protectedBy;

    public PsciModel(ModelPlatform platform)
    {
        _platform = platform;
        Attach(platform.Description);
    }

    public enum Power
    {
        Off,
        Pending,
        On,
        Asleep,
        Freezing,
        Frozen,
        Unavailable,
    }

    public ModelCore[] Cores { get; private set; } = [];

    public bool HasAnswered(int core) => _last.ContainsKey(Cores[core].Affinity);

    /// <summary>The host's list wins: what it cannot know, how deep a core sleeps, is remembered.</summary>
    public void Attach(MachineDescription machine)
    {
        var known = Cores;
        Cores =
        [
            .. machine.Cores.Select(core => new ModelCore(core.Mpidr.Value)
            {
                Power = core.Power switch { CorePower.On => Power.On, CorePower.Off => Power.Off, CorePower.Suspended => Power.Asleep, _ => Power.Unavailable },
                Asked = core.Power == CorePower.Suspended ? known.FirstOrDefault(old => old.Affinity == core.Mpidr.Value)?.Asked ?? [1] : null,
            }),
        ];
        var before = _nodes;
        _nodes = [];
        for (var level = 0; level < s_masks.Length; level++)
        {
            foreach (var key in Cores.Select(core => core.Affinity & s_masks[level]).Distinct())
            {
                var node = before.Find(old => old.Level == level && old.Key == key) ?? new(level, key);
                node.Members = [.. Cores.Where(core => (core.Affinity & s_masks[level]) == key)];
                Enter(node, Depth(node, changed: null), now: null);
                _nodes.Add(node);
            }
        }
    }

    /// <summary>Statistics and the protection of memory outlive a warm reset.</summary>
    public void Reset(bool isWarm, MachineDescription machine)
    {
        (_isOsInitiated, _wasOsInitiated, _hasSuspended, _protectedBy) = (false, false, false, null);
        _last.Clear();
        if (!isWarm)
        {
            _isProtected = false;
            _nodes = [];
        }

        Attach(machine);
    }

    public void Report(int index, CoreChange change, DateTimeOffset now)
    {
        var core = Cores[index];
        var next = (change, core.Power) switch
        {
            (CoreChange.Started, not (Power.Asleep or Power.Freezing)) => Power.On,
            (CoreChange.Stopped, Power.On or Power.Asleep) => Power.Off,
            (CoreChange.Stopped, Power.Freezing) => Power.Frozen,
            (CoreChange.Woke, Power.Asleep) => Power.On,
            (CoreChange.Refused, Power.Pending) => Power.Off,
            _ => core.Power,
        };
        if (next != core.Power)
        {
            Change(core, next, now);
        }
    }

    /// <summary>The core's last answer never arrived; its caller got the fallback.</summary>
    public void FellBack(int index)
    {
        var core = Cores[index];
        _last.Remove(core.Affinity, out var last);
        switch (last.Answer.Then)
        {
            case Effect.PowerOn on:
                var target = Array.Find(Cores, other => other.Affinity == on.Core.Value);
                if (target is { Power: Power.Pending } && target.StartedBy == core.Affinity)
                {
                    Change(target, Power.Off, last.At);
                }

                break;
            case Effect.PowerOff when core.Power == Power.Freezing:
                core.Power = Power.On;
                break;
            case { Suspends: true } when core.Power == Power.Asleep:
                Change(core, Power.On, now: null);
                break;
        }

        if (last.Number == 0x13 && last.Answer != Answer.NotSupported && _protectedBy == core.Affinity)
        {
            (_isProtected, _protectedBy) = (last.Answer.X0 == 1, null);
        }

        if (last.Number == 0x0F && last.Answer == Answer.Success)
        {
            _isOsInitiated = _wasOsInitiated;
        }
    }

    private void Change(ModelCore core, Power next, DateTimeOffset? now, int[]? asked = null, ulong? startedBy = null)
    {
        (core.Power, core.Asked, core.StartedBy) = (next, asked, startedBy);
        foreach (var node in _nodes)
        {
            if ((core.Affinity & s_masks[node.Level]) == node.Key)
            {
                Enter(node, Depth(node, core), now);
            }
        }
    }

    private int Depth(ModelNode node, ModelCore? changed)
    {
        var (shallowest, runs) = (Down, false);
        foreach (var member in node.Members)
        {
            shallowest = Math.Min(shallowest, member.Allows(node.Level));
            runs |= member.Allows(0) == Run;
        }

        return !_isOsInitiated || node.Level == 0 || shallowest == Down ? shallowest
            : runs ? Run // whoever wakes first
            : changed?.Power == Power.Asleep ? changed.Allows(node.Level) // the last one to go down says it
            : node.Depth == Down ? shallowest
            : node.Depth;
    }

    private static void Enter(ModelNode node, int depth, DateTimeOffset? now)
    {
        if (depth == node.Depth)
        {
            return;
        }

        if (node.Depth is not (Run or Down) && node.Since is { } since && now is { } until)
        {
            node.Counts[node.Depth]++;
            node.Ticks[node.Depth] += until > since ? (until - since).Ticks : 0;
        }

        (node.Depth, node.Since) = (depth, now);
    }

    internal sealed class ModelCore(ulong affinity)
    {
        public ulong Affinity { get; } = affinity;

        public Power Power { get; set; }

        /// <summary>While pending, who asked.</summary>
        public ulong? StartedBy { get; set; }

        /// <summary>While asleep, depths from level 0 up.</summary>
        public int[]? Asked { get; set; }

        public bool IsDown => Power is Power.Off or Power.Frozen or Power.Unavailable;

        public int Allows(int level) => IsDown || Power == Power.Pending ? Down : Power == Power.Asleep && level < Asked!.Length ? Asked[level] : Run;
    }

    private sealed class ModelNode(int level, ulong key)
    {
        public int Level { get; } = level;

        public ulong Key { get; } = key;

        public ModelCore[] Members { get; set; } = [];

        public int Depth { get; set; }

        public DateTimeOffset? Since { get; set; }

        public ulong[] Counts { get; } = new ulong[Down];

        public long[] Ticks { get; } = new long[Down];
    }
}
