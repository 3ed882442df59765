using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;

namespace Hypercalls.Sdei;

/// <summary>Everything at once (DEN0054, SDEI_PRIVATE_RESET; SDEI_SHARED_RESET).</summary>
public sealed partial class SdeiService
{
    private Outcome<SdeiState> PrivateReset(in Hypercall call, SdeiState state)
    {
        var (next, hasRun, ended) = UnregisterAll(state, EventType.Private, state.IndexOf(call.Core));
        return (next, Status(hasRun ? Denied : Success) with { EndedInterrupts = ended });
    }

    /// <summary>Bindings are released all or none: none while a handler that was unregistered runs, or while a bound event is registered somewhere.</summary>
    private Outcome<SdeiState> SharedReset(in Hypercall call, SdeiState state)
    {
        var (next, hasRun, ended) = UnregisterAll(state, EventType.Shared, state.IndexOf(call.Core));
        EventReference[] bound = [.. _events.Existing(EventType.Private, next).Concat(_events.Existing(EventType.Shared, next)).Where(_events.IsOfSlot)];
        if (hasRun || bound.Any(one => !IsUnregistered(next, one)))
        {
            return (next, Status(Denied) with { EndedInterrupts = ended });
        }

        ValueArray<uint> returned = [.. bound.Select(one => _events.Interrupt(one, next)!.Value)];
        return (Released(call, state, bound.Aggregate(next, Release), ValueArray.Of<EventReference>(bound)), Status(Success) with { ReturnedInterrupts = returned });
    }

    private (SdeiState State, bool HasRun, ValueArray<uint> Ended) UnregisterAll(SdeiState state, EventType type, int pe)
    {
        var hasRun = false;
        List<uint> all = [];
        foreach (var one in _events.Existing(type, state))
        {
            (state, var status, var ended) = Unregister(state, one, pe);
            hasRun |= status == Pending;
            all.AddRange(ended);
        }

        return (state, hasRun, [.. all]);
    }
}
