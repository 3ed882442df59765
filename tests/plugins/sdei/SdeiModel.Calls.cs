using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdei;

/// <summary>The calls, situation by situation.</summary>
internal sealed partial class SdeiModel
{
    private static readonly Answer s_invalid = Answer.Status(-2);
    private static readonly Answer s_denied = Answer.Status(-3);
    private static readonly Answer s_pending = Answer.Status(-5);
    private static readonly Answer s_outOfResource = Answer.Status(-10);

    /// <summary>Any call of a PE, with x0 to x5; one that was off is known to run now.</summary>
    public Answer Call(int pe, uint id, ulong[] x, ulong pstate)
    {
        if (!Pes[pe].IsOn)
        {
            Started(pe);
        }

        var function = id & ~0x1_0000u; // bit 16 is a hint
        var isAtClientEl = (pstate & 0x10) == 0 && (int)(pstate >> 2 & 3) == _platform.ClientEl;
        // What a fallback of a refused one does is looked at in NotAppliedTests.
        _undo[pe] = !isAtClientEl && function is (Ids.PeMask or Ids.PeUnmask) ? null : s_nothing;
        return isAtClientEl ? Serve(pe, function, x) : Answer.NotSupported;
    }

    private Answer Serve(int pe, uint id, ulong[] x) => id switch
    {
        Ids.Version => Answer.Status(_platform.Minor == 0 ? 0x0001_0000_0000_0000 : 0x0001_0001_0000_0000),
        Ids.EventContext => Context(Pes[pe], x[1]),
        Ids.EventComplete => Complete(pe, null),
        Ids.EventCompleteAndResume => x[1] % 4 != 0 ? s_invalid : Complete(pe, x[1]),
        Ids.PeMask => Mask(pe, true),
        Ids.PeUnmask => Mask(pe, false),
        Ids.InterruptBind => Bind(pe, x[1]),
        Ids.EventSignal => Signal(x[1], x[2]),
        Ids.Features => Features(x[1]),
        Ids.PrivateReset => PrivateReset(pe),
        Ids.SharedReset => SharedReset(pe),
        Ids.EventRegister or Ids.EventEnable or Ids.EventDisable or Ids.EventUnregister or Ids.EventStatus or Ids.EventGetInfo or Ids.EventRoutingSet
            or Ids.InterruptRelease => Find((uint)x[1]) is { } one ? OfEvent(id, one, pe, x) : s_invalid,
        _ => Answer.NotSupported,
    };

    private Answer OfEvent(uint id, ModelEvent one, int pe, ulong[] x) => id switch
    {
        Ids.EventRegister => Register(one, pe, x[2], x[3], x[4], x[5]),
        Ids.EventEnable => Enable(one, pe, true),
        Ids.EventDisable => Enable(one, pe, false),
        Ids.EventUnregister => Unregister(one, pe),
        Ids.EventStatus => Answer.Status((long)Status(pe, one.Number)),
        Ids.EventGetInfo => GetInfo(one, x[2]),
        Ids.EventRoutingSet => RoutingSet(one, pe, x[2], x[3]),
        _ => Release(one, pe),
    };

    private Answer Register(ModelEvent one, int pe, ulong entry, ulong argument, ulong flags, ulong affinity)
    {
        var (byPe, relative) = ((flags & 1) != 0, (flags & 2) != 0);
        if (flags > 3 || (relative && _platform.Minor == 0) || entry % 4 != 0 || (entry == 0 && !relative) || (one.IsShared && byPe && !IsPe(affinity)))
        {
            return s_invalid;
        }

        var handler = one.At(pe);
        if (handler.R || handler.X)
        {
            return s_denied;
        }

        (handler.R, handler.Entry, handler.Argument, handler.IsRelative) = (true, entry, argument, relative);
        (handler.IsRoutedToPe, handler.Affinity) = (byPe, affinity);
        handler.Changes++;
        _undo[pe] = UndoRegister(one, pe);
        return Answer.Success;
    }

    private Answer Enable(ModelEvent one, int pe, bool isEnabled)
    {
        var handler = one.At(pe);
        if (!handler.R)
        {
            return s_denied;
        }

        if (handler.E != isEnabled)
        {
            handler.E = isEnabled;
            handler.Changes++;
            _undo[pe] = UndoEnable(one, pe);
        }

        return Answer.Success;
    }

    private static Answer Context(Pe pe, ulong parameter) =>
        parameter > 17 ? s_invalid : pe.Frames.Count == 0 ? s_denied : Answer.Status((long)pe.Frames[^1].X[parameter]);

    private Answer Complete(int pe, ulong? resumeAt)
    {
        if (Pes[pe].Frames.Count == 0)
        {
            return s_denied;
        }

        var frame = Pes[pe].Frames[^1];
        Pes[pe].Frames.RemoveAt(Pes[pe].Frames.Count - 1);
        frame.Handler.X = false;
        _undo[pe] = UndoComplete(pe, frame);
        var load = new Effect.Load { Registers = [.. frame.X.Select((value, index) => new RegisterValue(index, value))], Pc = frame.Pc, Pstate = new(frame.Pstate) };
        return Answer.NoResults with
        {
            EndedInterrupts = frame.Event.Intid is { } intid ? [intid] : [],
            Then = resumeAt is not { } address ? load : load with
            {
                Pc = address,
                Pstate = new(_platform.ClientEl == 2 ? 0x3C9u : 0x3C5),
                System = [new(SystemRegister.ElrElc, frame.Pc), new(SystemRegister.SpsrElc, frame.Pstate)],
            },
        };
    }

    private Answer Unregister(ModelEvent one, int pe)
    {
        var handler = one.At(pe);
        if (!handler.R)
        {
            return handler.X ? s_pending : s_denied;
        }

        var answer = handler.X ? s_pending : Answer.Success;
        _undo[pe] = UndoUnregister(one, pe, handler.E, Pending(one, pe));
        return Clear(one, pe) is { } ended ? answer with { EndedInterrupts = [ended] } : answer;
    }

    /// <summary>No longer registered, and no longer triggered: the interrupt whose trigger went with it.</summary>
    private uint? Clear(ModelEvent one, int pe)
    {
        (one.At(pe).R, one.At(pe).E) = (false, false);
        one.At(pe).Changes++;
        return Drop(one, pe) ? one.Intid : null;
    }

    private static Answer GetInfo(ModelEvent one, ulong info) => info switch
    {
        0 => Answer.Status(one.IsShared ? 1 : 0),
        1 => Answer.Status(one.Number == 0 ? 0 : 1),
        2 => Answer.Status(one.IsCritical ? 1 : 0),
        3 or 4 when !one.IsShared => s_invalid,
        3 or 4 when !one.At(0).R => s_denied,
        3 => Answer.Status(one.At(0).IsRoutedToPe ? 1 : 0),
        4 when one.At(0).IsRoutedToPe => Answer.Status((long)one.At(0).Affinity),
        _ => s_invalid,
    };

    private Answer RoutingSet(ModelEvent one, int pe, ulong mode, ulong affinity)
    {
        if (!one.IsShared || mode > 1 || (mode == 1 && !IsPe(affinity)))
        {
            return s_invalid;
        }

        if (one.At(0) is not { R: true, E: false, X: false } handler)
        {
            return s_denied;
        }

        handler.Changes++;
        _undo[pe] = UndoRouting(one, pe);
        (handler.IsRoutedToPe, handler.Affinity) = (mode == 1, affinity);
        return Answer.Success;
    }

    private Answer Mask(int pe, bool isMasked)
    {
        var was = Pes[pe].IsMasked;
        Pes[pe].IsMasked = isMasked;
        _undo[pe] = new(() => true, () => Pes[pe].IsMasked = was);
        return Answer.Status(isMasked && !was ? 1 : 0);
    }

    private Answer Signal(ulong number, ulong target)
    {
        if ((uint)number != 0 || !IsPe(target))
        {
            return s_invalid;
        }

        var (one, pe) = (Find(0)!, Array.FindIndex(Pes, pe => pe.Affinity == target));
        if (one.At(pe).R)
        {
            Keep(one, pe);
        }
        else
        {
            Dropped++;
        }

        return Answer.Success;
    }

    private Answer Features(ulong feature) => feature switch
    {
        0 => Answer.Status(_sharedSlots.Length << 16 | _privateSlots.Length),
        1 when _platform.Minor == 1 => Answer.Status(1),
        _ => s_invalid,
    };

    private Answer PrivateReset(int pe)
    {
        var mine = _events.Where(one => !one.IsShared).ToList();
        var wasRunning = mine.Exists(one => one.At(pe).X);
        var ended = Cleared(mine, pe);
        _undo[pe] = UndoEnds(pe, ended);
        return (wasRunning ? s_denied : Answer.Success) with { EndedInterrupts = ended };
    }

    private Answer SharedReset(int pe)
    {
        var shared = _events.Where(one => one.IsShared).ToList();
        var wasRunning = shared.Exists(one => one.At(0).X);
        var ended = Cleared(shared, 0);
        _undo[pe] = UndoEnds(pe, ended);
        if (wasRunning || _events.Exists(one => one.Intid is not null && Array.Exists(one.Handlers, handler => handler.R || handler.X)))
        {
            return s_denied with { EndedInterrupts = ended };
        }

        ModelEvent[] bound = [.. _privateSlots.Concat(_sharedSlots).OfType<ModelEvent>()];
        // Where a trigger went too: looked at in NotAppliedTests.
        _undo[pe] = ended.Count > 0 ? null : UndoRelease(bound);
        Array.ForEach(bound, Unbind);
        return Answer.Success with { ReturnedInterrupts = [.. bound.Select(one => one.Intid!.Value)] };
    }

    // What is not registered is not unregistered: its trigger waits on.
    private ValueArray<uint> Cleared(IEnumerable<ModelEvent> events, int pe) => [.. events.Where(one => one.At(pe).R).Select(one => Clear(one, pe)).OfType<uint>().Order()];

    private bool IsPe(ulong affinity) => Array.Exists(Pes, pe => pe.Affinity == affinity);
}
