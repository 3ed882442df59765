using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdei;

/// <summary>
/// What SDEI is expected to remember and to do, after DEN0054 and the choices that its README names: plain lists, one rule per line,
/// no code of the service. This part holds events, triggers and their dispatch.
/// </summary>
internal sealed partial class SdeiModel
{
    private const uint FirstPrivateSlot = 0x4010_0000;
    private const uint FirstSharedSlot = 0x4020_0000;

    private readonly ModelPlatform _platform;
    private readonly List<Trigger> _triggers = [];
    private readonly List<End> _toEnd = [];
    private readonly List<ModelEvent> _events = [];
    private ModelEvent?[] _privateSlots = [];
    private ModelEvent?[] _sharedSlots = [];
    private long _order;

    public SdeiModel(ModelPlatform platform)
    {
        _platform = platform;
        Pes = [.. platform.Cores.Select(affinity => new Pe(affinity))];
        Begin();
        Pes[0].IsOn = true;
    }

    public Pe[] Pes { get; }

    /// <summary>Triggers that will reach no handler.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>The numbers of all events there are now.</summary>
    public IEnumerable<uint> Events => _events.Select(one => one.Number);

    /// <summary>Whether interrupts wait for their end alone.</summary>
    public bool HasEnds => _toEnd.Count > 0;

    /// <summary>The interrupt of an event; null too where it waits for its end alone, which PowerTests look at.</summary>
    public uint? IntidOf(uint number) => Find(number)!.Intid is { } intid && !_toEnd.Exists(end => end.Intid == intid) ? intid : null;

    /// <summary>EVENT_STATUS, as a PE would read it.</summary>
    public ulong Status(int pe, uint number)
    {
        var handler = Find(number)!.At(pe);
        return (handler.R ? 1u : 0) | (handler.E ? 2u : 0) | (handler.X ? 4u : 0);
    }

    public bool WantsAttention(int pe) => Pes[pe].IsOn && (_toEnd.Exists(end => IsWantedFor(end, pe)) || Next(pe) is not null);

    /// <summary>One PE is enough to end a shared interrupt: the first that is on.</summary>
    private bool IsWantedFor(End end, int pe) => (end.Pe ?? Array.FindIndex(Pes, any => any.IsOn)) == pe;

    /// <summary>A stopped PE, perhaps by an interrupt that fired: what it goes on with.</summary>
    public Answer Attend(int pe, RegisterFile registers, uint? intid)
    {
        if (intid is { } fired)
        {
            Fire(pe, fired);
        }

        _undo[pe] = null;
        if (!WantsAttention(pe))
        {
            return Answer.NoResults;
        }

        End[] ended = [.. _toEnd.Where(end => end.IsOf(pe))];
        _toEnd.RemoveAll(end => end.IsOf(pe));
        var answer = Answer.NoResults with { EndedInterrupts = [.. ended.Select(end => end.Intid).Order()] };
        if (Next(pe) is not { } trigger)
        {
            _undo[pe] = UndoAttention(pe, null, null, ended);
            return answer;
        }

        var handler = trigger.Event.At(pe);
        var frame = new Frame(trigger.Event, handler, [.. registers.X.Take(18)], registers.Pc, registers.Pstate.Value);
        _triggers.Remove(trigger);
        handler.X = true;
        Pes[pe].Frames.Add(frame);
        _undo[pe] = UndoAttention(pe, frame, trigger, ended);
        return answer with
        {
            Then = new Effect.Load
            {
                Registers = [new(0, trigger.Event.Number), new(1, handler.Argument), new(2, registers.Pc), new(3, registers.Pstate.Value)],
                Pc = handler.IsRelative ? registers.VbarElc + handler.Entry : handler.Entry,
                Pstate = new(EntryPstate(registers.Pstate.Value, registers.SctlrElc)),
            },
        };
    }

    /// <summary>An operator's event: refused, or kept.</summary>
    public RaiseResult Raise(ulong number, int? core)
    {
        var raised = number <= uint.MaxValue ? Find((uint)number) : null;
        if (raised is null || raised.Intid is not null || (raised.IsShared ? core is not null : core is null && Pes.Length > 1))
        {
            return RaiseResult.Refused;
        }

        if (!raised.At(core ?? 0).R)
        {
            return RaiseResult.Refused;
        }

        Keep(raised, core ?? 0);
        var trigger = Pending(raised, core ?? 0)!;
        return Enumerable.Range(0, Pes.Length).Any(pe => Next(pe) == trigger) ? RaiseResult.Delivered : RaiseResult.Pending;
    }

    private void Fire(int pe, uint intid)
    {
        var bound = _events.Find(one => one.Intid == intid)!;
        // It is active until its end is told: a trigger of it waits or runs already.
        if (!bound.At(pe).X && !_toEnd.Exists(end => end.Intid == intid && end.IsOf(pe)))
        {
            Keep(bound, pe);
        }
    }

    private void Keep(ModelEvent one, int pe)
    {
        if (Pending(one, pe) is null)
        {
            _triggers.Add(new(one, one.IsShared ? null : pe, _order++));
        }
    }

    private Trigger? Pending(ModelEvent one, int pe) => _triggers.Find(trigger => trigger.Event == one && (one.IsShared || trigger.Pe == pe));

    /// <summary>Whether there was one.</summary>
    private bool Drop(ModelEvent one, int pe)
    {
        if (Pending(one, pe) is not { } trigger)
        {
            return false;
        }

        _triggers.Remove(trigger);
        Dropped++;
        return true;
    }

    private Trigger? Next(int pe) => _triggers
        .Where(trigger => IsDeliverable(trigger, pe))
        .OrderBy(trigger => trigger.Event.IsCritical ? 0 : 1)
        .ThenBy(trigger => trigger.Order)
        .FirstOrDefault();

    /// <summary>Section 5 of the reference: triggered here, registered, enabled, not running, not masked, not outranked.</summary>
    private bool IsDeliverable(Trigger trigger, int pe)
    {
        var handler = trigger.Event.At(pe);
        return handler is { R: true, E: true, X: false } && Admits(pe, trigger.Event)
            && (trigger.Event.IsShared ? Target(trigger.Event) == pe : trigger.Pe == pe);
    }

    private bool Admits(int pe, ModelEvent one) => Pes[pe] is { IsOn: true, IsMasked: false } admitting
        && !admitting.Frames.Exists(frame => !one.IsCritical || frame.Event.IsCritical);

    private int Target(ModelEvent shared)
    {
        if (shared.At(0).IsRoutedToPe)
        {
            return Array.FindIndex(Pes, pe => pe.Affinity == shared.At(0).Affinity);
        }

        var able = Enumerable.Range(0, Pes.Length).Where(pe => Admits(pe, shared)).ToList();
        var idle = able.FindIndex(pe => Pes[pe].Frames.Count == 0);
        return able.Count == 0 ? -1 : able[Math.Max(idle, 0)];
    }

    private ulong EntryPstate(ulong interrupted, ulong sctlr)
    {
        var pstate = (interrupted & 0xF100_0000) | 0x3C0; // N, Z, C, V and DIT are kept; D, A, I and F masked
        pstate |= _platform.ClientEl == 2 ? 0b01001u : 0b00101;
        pstate |= _platform.HasSsbs ? (sctlr >> 44 & 1) << 12 : 0;
        pstate |= _platform.HasNmi ? (~sctlr >> 62 & 1) << 13 : 0;
        pstate |= _platform.HasPan ? (interrupted & 1 << 22) | (~sctlr >> 23 & 1) << 22 : 0;
        pstate |= _platform.Mte >= 2 ? 1u << 25 : 0;
        return pstate;
    }

    private ModelEvent? Find(uint number) => _events.Find(one => one.Number == number);

    /// <summary>Everything as new.</summary>
    private void Begin()
    {
        _triggers.Clear();
        _toEnd.Clear();
        _events.Clear();
        _undo.Clear();
        Dropped = 0;
        foreach (var one in _platform.Events.Prepend(new(0, IsShared: false, IsCritical: false)))
        {
            _events.Add(new(one.Number, one.IsShared, one.IsCritical, null, Pes.Length));
        }

        // Without interrupts to take there is nothing to bind.
        _privateSlots = new ModelEvent?[_platform.Interrupts.Length == 0 ? 0 : _platform.PrivateSlots];
        _sharedSlots = new ModelEvent?[_platform.Interrupts.Length == 0 ? 0 : _platform.SharedSlots];
        for (var pe = 0; pe < Pes.Length; pe++)
        {
            Pes[pe].IsOn = false;
            Pes[pe].IsMasked = true;
            Pes[pe].Frames.Clear();
            _undo[pe] = null;
        }
    }

    internal sealed class Pe(ulong affinity)
    {
        public ulong Affinity { get; } = affinity;

        /// <summary>Suspended counts as on.</summary>
        public bool IsOn { get; set; }

        public bool IsMasked { get; set; } = true;

        /// <summary>Handlers that run, the innermost last.</summary>
        public List<Frame> Frames { get; } = [];
    }

    internal sealed class ModelEvent(uint number, bool isShared, bool isCritical, uint? intid, int pes)
    {
        public uint Number { get; } = number;

        public bool IsShared { get; } = isShared;

        public bool IsCritical { get; } = isCritical;

        /// <summary>The interrupt, of a bound event.</summary>
        public uint? Intid { get; } = intid;

        /// <summary>One for the guest, or one for each PE.</summary>
        public Handler[] Handlers { get; } = [.. Enumerable.Range(0, isShared ? 1 : pes).Select(_ => new Handler())];

        public Handler At(int pe) => Handlers[IsShared ? 0 : pe];
    }

    /// <summary>Registered, enabled, running, and what was registered.</summary>
    internal sealed class Handler
    {
        public bool R { get; set; }

        public bool E { get; set; }

        public bool X { get; set; }

        public ulong Entry { get; set; }

        public ulong Argument { get; set; }

        public bool IsRelative { get; set; }

        public bool IsRoutedToPe { get; set; }

        public ulong Affinity { get; set; }

        /// <summary>How often it was registered or unregistered.</summary>
        public int Changes { get; set; }
    }

    internal sealed record Frame(ModelEvent Event, Handler Handler, ulong[] X, ulong Pc, ulong Pstate);

    private sealed record Trigger(ModelEvent Event, int? Pe, long Order);

    /// <summary>An interrupt whose handler is gone: by any PE that is on, a private one by its own.</summary>
    private readonly record struct End(uint Intid, int? Pe)
    {
        public bool IsOf(int pe) => Pe is null || Pe == pe;
    }
}
