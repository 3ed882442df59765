using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdei;

/// <summary>Power, resets, and answers that the host did not apply.</summary>
internal sealed partial class SdeiModel
{
    /// <summary>What a fallback of each PE's last exit does; null where the reference does not say.</summary>
    private readonly Dictionary<int, Undo?> _undo = [];

    private static readonly Undo s_nothing = new(() => true, () => { });

    public void Started(int pe)
    {
        (Pes[pe].IsOn, Pes[pe].IsMasked) = (true, true);
        foreach (var one in _events.Where(one => !one.IsShared))
        {
            one.Handlers[pe] = new();
        }

        _undo[pe] = null;
    }

    public void Stopped(int pe)
    {
        foreach (var frame in Pes[pe].Frames)
        {
            frame.Handler.X = false;
            if (frame.Event is { IsShared: true, Intid: { } intid })
            {
                _toEnd.Add(new(intid, null));
            }
        }

        _toEnd.RemoveAll(end => end.Pe == pe);
        Pes[pe].Frames.Clear();
        (Pes[pe].IsOn, Pes[pe].IsMasked) = (false, true);
        _undo[pe] = null;
    }

    public void Woke(int pe, bool hasLostContext)
    {
        Pes[pe].IsMasked |= hasLostContext;
        _undo[pe] = null;
    }

    public void Reset()
    {
        Begin();
        Started(0);
    }

    /// <summary>A PE did something that these functions know nothing of.</summary>
    public void Elsewhere(int pe) => _undo[pe] = null;

    /// <summary>Whether it is clear what a fallback of the PE's last exit does now.</summary>
    public bool CanFallBack(int pe) => _undo[pe] is { } undo && undo.IsClear();

    public void FellBack(int pe)
    {
        _undo[pe]!.Do();
        _undo[pe] = null;
    }

    private Undo UndoRegister(ModelEvent one, int pe) => UndoChange(one, pe, () => one.At(pe).R = false);

    private Undo UndoEnable(ModelEvent one, int pe) => UndoChange(one, pe, () => one.At(pe).E ^= true);

    private Undo UndoRouting(ModelEvent one, int pe)
    {
        var was = (one.At(pe).IsRoutedToPe, one.At(pe).Affinity);
        return UndoChange(one, pe, () => (one.At(pe).IsRoutedToPe, one.At(pe).Affinity) = was);
    }

    /// <summary>Undone where nothing has happened to the handler since, no trigger either.</summary>
    private Undo UndoChange(ModelEvent one, int pe, Action undo)
    {
        var (handler, changes, runs, pending) = (one.At(pe), one.At(pe).Changes, one.At(pe).X, Pending(one, pe));
        return new(
            () => _events.Contains(one) && handler.Changes == changes && handler.X == runs && Pending(one, pe) == pending,
            () =>
            {
                undo();
                handler.Changes++;
            });
    }

    /// <summary>Registered as before; a trigger that was dropped waits again.</summary>
    private Undo UndoUnregister(ModelEvent one, int pe, bool wasEnabled, Trigger? dropped)
    {
        var (handler, changes, ran) = (one.At(pe), one.At(pe).Changes + 1, one.At(pe).X);
        return new(
            () => _events.Contains(one) && handler.Changes == changes && handler.X == ran && Pending(one, pe) is null,
            () =>
            {
                (handler.R, handler.E) = (true, wasEnabled);
                handler.Changes++;
                if (dropped is { Event.Intid: not null })
                {
                    _triggers.Add(dropped);
                }

            });
    }

    /// <summary>Interrupts that were not returned are bound as before; nobody is registered.</summary>
    private Undo UndoSharedReset(ModelEvent[] bound)
    {
        Undo[] each = [.. bound.Select(UndoRelease)];
        return new(() => Array.TrueForAll(each, one => one.IsClear()), () => Array.ForEach(each, one => one.Do()));
    }

    /// <summary>Bound as before. What becomes of triggers that waited is looked at in <see cref="NotAppliedTests"/>.</summary>
    private Undo UndoRelease(ModelEvent one)
    {
        var slots = _privateSlots.Contains(one) ? _privateSlots : _sharedSlots;
        var (slot, isActive) = (Array.IndexOf(slots, one), _toEnd.Exists(end => end.Intid == one.Intid) || _triggers.Exists(trigger => trigger.Event == one));
        return new(
            () => !isActive && slots[slot] is null && !_events.Exists(other => other.Intid == one.Intid),
            () =>
            {
                slots[slot] = one;
                _events.Add(one);
            });
    }

    /// <summary>The event waits again, in its old place; what was ended is still to be ended.</summary>
    private Undo UndoAttention(int pe, Frame? frame, Trigger? trigger, End[] ended)
    {
        var changes = frame?.Handler.Changes;
        return new(
            () => (frame is null || (Pes[pe].Frames.LastOrDefault() == frame && frame.Handler.Changes == changes)) && Array.TrueForAll(ended, end => IsQuiet(end, pe)),
            () =>
            {
                _toEnd.AddRange(ended);
                if (frame is null)
                {
                    return;
                }

                Pes[pe].Frames.Remove(frame);
                frame.Handler.X = false;
                _triggers.RemoveAll(newer => newer.Event == trigger!.Event && newer.Pe == trigger.Pe);
                _triggers.Add(trigger!);
            });
    }

    /// <summary>What is reset stays so; interrupts are still to be ended.</summary>
    private Undo UndoEnds(int pe, ValueArray<uint> intids)
    {
        End[] ended = [.. intids.Select(intid => new End(intid, intid < 32 ? pe : null))];
        return new(() => Array.TrueForAll(ended, end => IsQuiet(end, pe)), () => _toEnd.AddRange(ended));
    }

    private bool IsQuiet(End end, int pe) =>
        !_toEnd.Contains(end) && _events.Find(one => one.Intid == end.Intid) is { } bound && !bound.At(pe).X && Pending(bound, pe) is null;

    /// <summary>The handler runs again.</summary>
    private Undo UndoComplete(int pe, Frame frame)
    {
        var (changes, below) = (frame.Handler.Changes, Pes[pe].Frames.Count);
        return new(
            () => Pes[pe].IsOn && Pes[pe].Frames.Count == below && frame.Handler.Changes == changes && !frame.Handler.X && _events.Contains(frame.Event)
                && (frame.Event.Intid is null || Pending(frame.Event, pe) is null),
            () =>
            {
                frame.Handler.X = true;
                Pes[pe].Frames.Add(frame);
            });
    }

    /// <summary>The interrupt is not bound.</summary>
    private Undo UndoBind(ModelEvent bound) => new(
        () => _events.Contains(bound) && !Array.Exists(bound.Handlers, handler => handler.R || handler.X) && !_triggers.Exists(trigger => trigger.Event == bound),
        () => Unbind(bound));

    private sealed record Undo(Func<bool> IsClear, Action Do);
}
