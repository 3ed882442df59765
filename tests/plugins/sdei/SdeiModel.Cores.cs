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

    /// <summary>Registered as before; a trigger that was dropped waits again, in its old place.</summary>
    private Undo UndoUnregister(ModelEvent one, int pe, bool wasEnabled, Trigger? dropped)
    {
        var (handler, changes, ran) = (one.At(pe), one.At(pe).Changes + 1, one.At(pe).X);
        return new(
            () => _events.Contains(one) && handler.Changes == changes && handler.X == ran && Pending(one, pe) is null,
            () =>
            {
                (handler.R, handler.E) = (true, wasEnabled);
                handler.Changes++;
                if (dropped is not null)
                {
                    _triggers.Add(dropped);
                    Dropped--;
                }
            });
    }

    /// <summary>Bound as before: all that were, in their slots. What else can become of them is looked at in <see cref="NotAppliedTests"/>.</summary>
    private Undo UndoRelease(params ModelEvent[] released)
    {
        var wasActive = Array.Exists(released, one => _toEnd.Exists(end => end.Intid == one.Intid) || _triggers.Exists(trigger => trigger.Event == one));
        var before = (Private: _privateSlots.ToArray(), Shared: _sharedSlots.ToArray());
        return new(
            () => !wasActive && AreLowest(_privateSlots, before.Private) && AreLowest(_sharedSlots, before.Shared)
                && !Array.Exists(released, one => _events.Exists(other => other.Intid == one.Intid)),
            () =>
            {
                _events.AddRange(released);
                (_privateSlots, _sharedSlots) = before;
            });
    }

    /// <summary>Nothing was bound since, and the slots that were emptied are the lowest that are empty.</summary>
    private static bool AreLowest(ModelEvent?[] now, ModelEvent?[] before)
    {
        var emptied = Enumerable.Range(0, now.Length).Where(slot => now[slot] != before[slot]).ToList();
        return emptied.TrueForAll(slot => now[slot] is null) && emptied.TrueForAll(slot => Array.IndexOf(before, null) is var empty && (empty < 0 || empty > slot));
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
