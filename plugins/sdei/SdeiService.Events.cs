using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;

namespace Hypercalls.Sdei;

/// <summary>Handlers of events (DEN0054, SDEI_EVENT_REGISTER; ENABLE; DISABLE; UNREGISTER; STATUS; GET_INFO; ROUTING_SET; SIGNAL; PE_MASK; PE_UNMASK).</summary>
public sealed partial class SdeiService
{
    private const ulong RoutedToPe = 1;
    private const ulong Relative = 1 << 1;
    private const ulong CanBeSignalled = 0;
    private const ulong CannotBeSignalled = 1;
    private const int InstructionSize = 4;

    private enum Info : ulong
    {
        Type,
        Signaled,
        Priority,
        RoutingMode,
        RoutingAffinity,
    }

    private Outcome<SdeiState> EventRegister(in Hypercall call, SdeiState state)
    {
        var (entryPoint, argument, flags) = (call[2], call[3], call[4]);
        var isRelative = (flags & Relative) != 0;
        if (Find(call[1], state) is not { } asked
            || (flags & ~(RoutedToPe | (HasRelativeMode ? Relative : 0))) != 0
            || entryPoint % InstructionSize != 0 || (entryPoint == 0 && !isRelative))
        {
            return Status(InvalidParameters);
        }

        var (mode, affinity) = (RoutingMode.Any, default(Mpidr));
        // Of a private event routing and affinity are not looked at.
        if (asked.Type == EventType.Shared && !TryRoute(flags & RoutedToPe, call[5], state, out mode, out affinity))
        {
            return Status(InvalidParameters);
        }

        return Step(call, state, asked, HandlerStep.Register, (record, next) => record with
        {
            State = next,
            EntryPoint = entryPoint,
            Argument = argument,
            IsRelative = isRelative,
            Routing = mode,
            Affinity = affinity,
        });
    }

    private Outcome<SdeiState> EventEnable(in Hypercall call, SdeiState state) => Step(call, state, HandlerStep.Enable);

    private Outcome<SdeiState> EventDisable(in Hypercall call, SdeiState state) => Step(call, state, HandlerStep.Disable);

    private Outcome<SdeiState> EventUnregister(in Hypercall call, SdeiState state)
    {
        if (Find(call[1], state) is not { } asked)
        {
            return Status(InvalidParameters);
        }

        var pe = state.IndexOf(call.Core);
        var before = state.Record(asked, pe);
        var (next, status, ended) = Unregister(state, asked, pe);
        return (Remember(call, next, new(call.Function) { Event = asked, Before = before, After = next.Record(asked, pe) }), Status(status) with { EndedInterrupts = ended });
    }

    private Outcome<SdeiState> EventStatus(in Hypercall call, SdeiState state) => Find(call[1], state) is { } asked
        ? Answer.Value((ulong)state.Record(asked, state.IndexOf(call.Core)).State)
        : Status(InvalidParameters);

    private Outcome<SdeiState> EventGetInfo(in Hypercall call, SdeiState state)
    {
        if (Find(call[1], state) is not { } asked)
        {
            return Status(InvalidParameters);
        }

        var isShared = asked.Type == EventType.Shared;
        var record = isShared ? state.Shared[asked.Index] : default;
        return (Info)call[2] switch
        {
            Info.Type => Answer.Value((ulong)asked.Type),
            Info.Signaled => Answer.Value(IsSignalled(asked) ? CanBeSignalled : CannotBeSignalled),
            Info.Priority => Answer.Value((ulong)_events.Priority(asked)),
            Info.RoutingMode or Info.RoutingAffinity when isShared && !HandlerTransitions.KeepsTriggers(record.State) => Status(Denied),
            Info.RoutingMode when isShared => Answer.Value((ulong)record.Routing),
            Info.RoutingAffinity when isShared && record.Routing == RoutingMode.Pe => Answer.Value(record.Affinity.Value),
            _ => Status(InvalidParameters),
        };
    }

    private Outcome<SdeiState> EventRoutingSet(in Hypercall call, SdeiState state) =>
        Find(call[1], state) is { Type: EventType.Shared } asked && TryRoute(call[2], call[3], state, out var mode, out var affinity)
            ? Step(call, state, asked, HandlerStep.RoutingSet, (record, next) => record with { State = next, Routing = mode, Affinity = affinity })
            : Status(InvalidParameters);

    private Outcome<SdeiState> EventSignal(in Hypercall call, SdeiState state) =>
        Find(call[1], state) is { } asked && IsSignalled(asked) && Mpidr.TryParse(call[2], out var target) && state.IndexOf(target) is var pe and >= 0
            ? (state.Trigger(asked, pe), Status(Success))
            : Status(InvalidParameters);

    private static Outcome<SdeiState> PeMask(in Hypercall call, SdeiState state) => (Mask(call, state, true, out var wasMasked), Answer.Value(wasMasked ? 0u : 1u));

    private static Outcome<SdeiState> PeUnmask(in Hypercall call, SdeiState state) => (Mask(call, state, false, out _), Status(Success));

    private static SdeiState Mask(in Hypercall call, SdeiState state, bool masked, out bool wasMasked)
    {
        var index = state.IndexOf(call.Core);
        var pe = state.Pes[index];
        wasMasked = pe.IsMasked;
        return state.With(index, pe with { IsMasked = masked, Last = new(call.Function) { WasMasked = wasMasked } });
    }

    private static bool IsSignalled(EventReference asked) => asked is { Type: EventType.Private, Index: 0 };

    private static bool TryRoute(ulong mode, ulong affinity, SdeiState state, out RoutingMode routing, out Mpidr core)
    {
        routing = (RoutingMode)(byte)mode;
        core = default;
        return mode == (ulong)RoutingMode.Any || (mode == (ulong)RoutingMode.Pe && Mpidr.TryParse(affinity, out core) && state.IndexOf(core) >= 0);
    }

    private Outcome<SdeiState> Step(in Hypercall call, SdeiState state, HandlerStep step) => Find(call[1], state) is { } asked
        ? Step(call, state, asked, step, (record, next) => record with { State = next })
        : Status(InvalidParameters);

    private static Outcome<SdeiState> Step(in Hypercall call, SdeiState state, EventReference asked, HandlerStep step, Func<EventRecord, HandlerState, EventRecord> change)
    {
        var pe = state.IndexOf(call.Core);
        var before = state.Record(asked, pe);
        var (next, status) = HandlerTransitions.Of(before.State, step);
        if (next is null)
        {
            return Status(status);
        }

        var after = change(before, next.Value);
        return (Remember(call, state.With(asked, pe, after), new(call.Function) { Event = asked, Before = before, After = after }), Status(status));
    }

    /// <summary>A trigger that waits is dropped, and with it the interrupt that it holds.</summary>
    private (SdeiState State, SdeiStatus Status, ValueArray<uint> Ended) Unregister(SdeiState state, EventReference asked, int pe)
    {
        var before = state.Record(asked, pe);
        var (next, status) = HandlerTransitions.Of(before.State, HandlerStep.Unregister);
        if (next is null)
        {
            return (state, status, []);
        }

        ValueArray<uint> ended = before.Trigger != 0 && _events.Interrupt(asked, state) is { } intid ? [intid] : [];
        state = state.Drop(asked, pe);
        return (state.With(asked, pe, state.Record(asked, pe).In(next.Value)), status, ended);
    }

    private static SdeiState Remember(in Hypercall call, SdeiState state, Change change)
    {
        var pe = state.IndexOf(call.Core);
        return state.With(pe, state.Pes[pe] with { Last = change });
    }
}
