using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdei;

/// <summary>Bindings.</summary>
internal sealed partial class SdeiModel
{
    private Answer Bind(int pe, ulong interrupt)
    {
        // Without any slot there is no telling which interrupts could be had.
        var hasSlots = _privateSlots.Length + _sharedSlots.Length > 0;
        if (interrupt is < 16 or > 1019 || (hasSlots && !_platform.Interrupts.Any(range => range.First <= interrupt && interrupt <= range.Last)))
        {
            return s_invalid;
        }

        if (_events.Find(one => one.Intid == interrupt) is { } known)
        {
            return Answer.Status(known.Number);
        }

        var isShared = interrupt >= 32;
        var slots = isShared ? _sharedSlots : _privateSlots;
        var free = Array.IndexOf(slots, null);
        if (free < 0)
        {
            return s_outOfResource;
        }

        var number = (isShared ? FirstSharedSlot : FirstPrivateSlot) + (uint)free;
        var bound = new ModelEvent(number, isShared, isCritical: false, (uint)interrupt, Pes.Length);
        slots[free] = bound;
        _events.Add(bound);
        _undo[pe] = UndoBind(bound);
        return Answer.Status(number) with { Then = new Effect.TakeInterrupt((uint)interrupt, IfRefused: -3) };
    }

    private Answer Release(ModelEvent one, int pe)
    {
        if (one.Intid is not { } intid)
        {
            return s_invalid;
        }

        if (Array.Exists(one.Handlers, handler => handler.R || handler.X))
        {
            return s_denied;
        }

        _undo[pe] = UndoRelease(one);
        Unbind(one);
        return Answer.Success with { ReturnedInterrupts = [intid] };
    }

    private void Unbind(ModelEvent one)
    {
        for (var pe = 0; pe < Pes.Length; pe++)
        {
            Drop(one, pe);
        }

        _toEnd.RemoveAll(end => end.Intid == one.Intid);
        _events.Remove(one);
        foreach (var slots in new[] { _privateSlots, _sharedSlots })
        {
            if (Array.IndexOf(slots, one) is >= 0 and var slot)
            {
                slots[slot] = null;
            }
        }
    }
}
