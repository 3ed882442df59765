using Hypercalls.Sdk;

namespace Hypercalls.Sdei;

/// <summary>The SDEI instance of one machine: its PEs in the order in which the host lists them, the shared events, the bindings.</summary>
public sealed record SdeiState
{
    internal const uint Unbound = 0;
    private const uint FirstShared = 32;

    /// <summary>One entry per PE.</summary>
    public ValueArray<Pe> Pes { get; init; }

    /// <summary>The shared events.</summary>
    public ValueArray<EventRecord> Shared { get; init; }

    /// <summary>The interrupt bound to each private slot, 0 where none is; no slots where the host offers no interrupts.</summary>
    public ValueArray<uint> PrivateBindings { get; init; }

    /// <summary>The interrupt bound to each shared slot, 0 where none is; no slots where the host offers no interrupts.</summary>
    public ValueArray<uint> SharedBindings { get; init; }

    /// <summary>Triggers so far: the place of the last one in their order.</summary>
    public ulong Triggers { get; init; }

    /// <summary>Triggers that were dropped, as nobody was registered for them or no longer.</summary>
    public ulong Dropped { get; init; }

    /// <summary>How many triggers wait.</summary>
    public int Waiting { get; init; }

    /// <summary>Interrupts that end with an attention: a shared one at any PE.</summary>
    public ValueArray<Ending> Endings { get; init; }

    /// <summary>How handlers are entered on this machine.</summary>
    public EntryState Entry { get; init; }

    /// <summary>The place of a PE.</summary>
    /// <param name="core">Its affinity.</param>
    /// <returns>From 0; −1 where the machine has no such PE.</returns>
    public int IndexOf(Mpidr core)
    {
        var pes = Pes.Span;
        for (var i = 0; i < pes.Length; i++)
        {
            if (pes[i].Core == core)
            {
                return i;
            }
        }

        return -1;
    }

    internal static EventType TypeOf(uint intid) => intid < FirstShared ? EventType.Private : EventType.Shared;

    internal ValueArray<uint> Bindings(EventType type) => type == EventType.Private ? PrivateBindings : SharedBindings;

    internal SdeiState Bind(EventType type, int slot, uint intid) => type == EventType.Private
        ? this with { PrivateBindings = PrivateBindings.With(slot, intid) }
        : this with { SharedBindings = SharedBindings.With(slot, intid) };

    /// <summary>The record of an event as one PE sees it.</summary>
    internal EventRecord Record(EventReference reference, int pe) =>
        reference.Type == EventType.Private ? Pes[pe].Events[reference.Index] : Shared[reference.Index];

    internal SdeiState With(EventReference reference, int pe, EventRecord record)
    {
        var waiting = Waiting + (record.Trigger != 0 ? 1 : 0) - (Record(reference, pe).Trigger != 0 ? 1 : 0);
        return reference.Type == EventType.Private
            ? (this with { Waiting = waiting }).With(pe, Pes[pe] with { Events = Pes[pe].Events.With(reference.Index, record) })
            : this with { Waiting = waiting, Shared = Shared.With(reference.Index, record) };
    }

    internal SdeiState With(int index, Pe pe) => this with { Pes = Pes.With(index, pe) };

    /// <summary>The event is triggered; one that waits already stands for both. Where its handler is unregistered it is dropped.</summary>
    internal SdeiState Trigger(EventReference reference, int pe)
    {
        var record = Record(reference, pe);
        return !HandlerTransitions.KeepsTriggers(record.State) ? this with { Dropped = Dropped + 1 }
            : record.Trigger != 0 ? this
            : Keep(reference, pe, record);
    }

    internal SdeiState Keep(EventReference reference, int pe, EventRecord record) =>
        (this with { Triggers = Triggers + 1 }).With(reference, pe, record with { Trigger = Triggers + 1 });

    /// <summary>Drops the trigger that waits, if one does.</summary>
    internal SdeiState Drop(EventReference reference, int pe)
    {
        var record = Record(reference, pe);
        return record.Trigger == 0 ? this : (this with { Dropped = Dropped + 1 }).With(reference, pe, record with { Trigger = 0 });
    }

    /// <summary>The interrupt is active, and no completion will end it.</summary>
    internal SdeiState EndLater(uint intid, int pe)
    {
        var ending = new Ending(intid, TypeOf(intid) == EventType.Private ? Pes[pe].Core : null);
        return Endings.Contains(ending) ? this : this with { Endings = [.. Endings, ending] };
    }

    internal bool IsEnding(uint intid, int pe) =>
        Endings.Count > 0 && Endings.Contains(new(intid, TypeOf(intid) == EventType.Private ? Pes[pe].Core : null));

    /// <summary>The interrupt is the guest's, or somebody will end it.</summary>
    internal SdeiState NotEnding(uint intid) =>
        Endings.Any(ending => ending.Intid == intid) ? this with { Endings = [.. Endings.Where(ending => ending.Intid != intid)] } : this;
}
