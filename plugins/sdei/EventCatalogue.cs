namespace Hypercalls.Sdei;

/// <summary>The events of a platform: event 0, those of its settings, and the slots to which interrupts are bound (DEN0054, Events).</summary>
internal sealed class EventCatalogue
{
    private readonly List<Kind> _private = [new(EventNumber.SoftwareSignalled, EventPriority.Normal)];
    private readonly List<Kind> _shared = [];
    private readonly Dictionary<EventNumber, EventReference> _byNumber = [];
    private readonly int _firstPrivateSlot;
    private readonly int _firstSharedSlot;

    public EventCatalogue(SdeiSettings settings)
    {
        foreach (var one in settings.Events)
        {
            Of(one.Type).Add(new(new(one.Number), one.Priority));
        }

        (_firstPrivateSlot, _firstSharedSlot) = (_private.Count, _shared.Count);
        _private.AddRange(Slots(EventType.Private, settings.PrivateSlots));
        _shared.AddRange(Slots(EventType.Shared, settings.SharedSlots));
        foreach (var type in (EventType[])[EventType.Private, EventType.Shared])
        {
            for (var index = 0; index < Of(type).Count; index++)
            {
                _byNumber.Add(Of(type)[index].Number, new(type, index));
            }
        }
    }

    /// <summary>How many records each PE has.</summary>
    public int PrivateCount => _private.Count;

    /// <summary>How many records all PEs share.</summary>
    public int SharedCount => _shared.Count;

    /// <summary>How many of a type are slots, at the end of their list.</summary>
    public int SlotCount(EventType type) => Of(type).Count - FirstSlot(type);

    /// <summary>The event of that number; null where there is none, or where no interrupt is bound to its slot.</summary>
    public EventReference? Find(EventNumber number, SdeiState state) =>
        _byNumber.TryGetValue(number, out var found) && (!IsOfSlot(found) || Interrupt(found, state) is not null) ? found : null;

    public EventNumber Number(EventReference reference) => Of(reference.Type)[reference.Index].Number;

    public EventPriority Priority(EventReference reference) => Of(reference.Type)[reference.Index].Priority;

    public EventReference Slot(EventType type, int slot) => new(type, FirstSlot(type) + slot);

    /// <summary>The interrupt that an event is bound to; null where it is bound to none.</summary>
    public uint? Interrupt(EventReference reference, SdeiState state)
    {
        var bindings = state.Bindings(reference.Type);
        var slot = reference.Index - FirstSlot(reference.Type);
        return slot >= 0 && slot < bindings.Count && bindings[slot] != SdeiState.Unbound ? bindings[slot] : null;
    }

    /// <summary>The event that an interrupt is bound to.</summary>
    public EventReference? BoundTo(uint intid, SdeiState state)
    {
        var type = SdeiState.TypeOf(intid);
        return state.Bindings(type).Span.IndexOf(intid) is var slot and >= 0 ? Slot(type, slot) : null;
    }

    /// <summary>The events of a type that exist now: slots without an interrupt are left out.</summary>
    public IEnumerable<EventReference> Existing(EventType type, SdeiState state)
    {
        for (var index = 0; index < Of(type).Count; index++)
        {
            var reference = new EventReference(type, index);
            if (!IsOfSlot(reference) || Interrupt(reference, state) is not null)
            {
                yield return reference;
            }
        }
    }

    public bool IsOfSlot(EventReference reference) => reference.Index >= FirstSlot(reference.Type);

    // Bound events are of normal priority (DEN0054, SDEI_INTERRUPT_BIND).
    private static IEnumerable<Kind> Slots(EventType type, int count) =>
        Enumerable.Range(0, count).Select(slot => new Kind(EventNumber.OfSlot(type, slot), EventPriority.Normal));

    private int FirstSlot(EventType type) => type == EventType.Private ? _firstPrivateSlot : _firstSharedSlot;

    private List<Kind> Of(EventType type) => type == EventType.Private ? _private : _shared;

    private readonly record struct Kind(EventNumber Number, EventPriority Priority);
}
