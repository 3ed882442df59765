using static Hypercalls.Sdei.HandlerState;

namespace Hypercalls.Sdei;

/// <summary>The states of an event's handler, call by call (DEN0054, Event handler states and transitions).</summary>
internal static class HandlerTransitions
{
    private const HandlerState ___ = Unregistered;
    private const HandlerState __X = UnregisterPending;
    private const HandlerState R__ = Registered;
    private const HandlerState R_X = RegisteredRunning;
    private const HandlerState RE_ = Enabled;
    private const HandlerState REX = EnabledRunning;

    // PENDING, and unregistered as soon as it has completed. No is DENIED.
    private static readonly Transition P_X = new(UnregisterPending, SdeiStatus.Pending);

    private static Transition No => Transition.Denied;

    // R registered, E enabled, X running.
#pragma warning disable format // a table, to be read by column
    private static readonly Dictionary<HandlerState, Transition[]> s_grid = new()
    {
        //        Register Enable Disable Unregister RoutingSet Release Context Complete Dispatch
        [___] = [ R__,     No,    No,     No,        No,        ___,    No,     No,      No  ],
        [__X] = [ No,      No,    No,     P_X,       No,        No,     __X,    ___,     No  ],
        [R__] = [ No,      RE_,   R__,    ___,       R__,       No,     No,     No,      No  ],
        [R_X] = [ No,      REX,   R_X,    P_X,       No,        No,     R_X,    R__,     No  ],
        [RE_] = [ No,      RE_,   R__,    ___,       No,        No,     No,     No,      REX ],
        [REX] = [ No,      REX,   R_X,    P_X,       No,        No,     REX,    RE_,     No  ],
    };

    /// <summary>What becomes of a handler.</summary>
    /// <param name="state">Its state.</param>
    /// <param name="step">The call, or the dispatch.</param>
    /// <returns>The next state and the caller's result.</returns>
    public static Transition Of(HandlerState state, HandlerStep step) => s_grid[state][(int)step];

    /// <summary>Whether triggers are kept: of an unregistered event they are dropped.</summary>
    /// <param name="state">Of its handler.</param>
    /// <returns>True while R is set.</returns>
    public static bool KeepsTriggers(HandlerState state) => state is R__ or RE_ or R_X or REX;

    /// <summary>Whether the handler runs.</summary>
    /// <param name="state">Of the handler.</param>
    /// <returns>True while X is set.</returns>
    public static bool IsRunning(HandlerState state) => state is __X or R_X or REX;

    /// <summary>A handler that ran after all, or whose COMPLETE did not happen.</summary>
    /// <param name="state">Of the handler, as others may have left it since.</param>
    /// <returns>The same with X.</returns>
    public static HandlerState Running(HandlerState state) => state | __X;
}

/// <summary>The columns of the grid.</summary>
internal enum HandlerStep
{
    /// <summary>EVENT_REGISTER.</summary>
    Register,

    /// <summary>EVENT_ENABLE.</summary>
    Enable,

    /// <summary>EVENT_DISABLE.</summary>
    Disable,

    /// <summary>EVENT_UNREGISTER, and both resets.</summary>
    Unregister,

    /// <summary>EVENT_ROUTING_SET.</summary>
    RoutingSet,

    /// <summary>INTERRUPT_RELEASE.</summary>
    Release,

    /// <summary>EVENT_CONTEXT, of the innermost handler on the calling PE.</summary>
    Context,

    /// <summary>EVENT_COMPLETE and EVENT_COMPLETE_AND_RESUME, of the innermost handler on the calling PE.</summary>
    Complete,

    /// <summary>Entry of the handler.</summary>
    Dispatch,
}

/// <summary>A cell of the grid.</summary>
/// <param name="Next">The next state; null where the step is denied.</param>
/// <param name="Status">The caller's result.</param>
internal readonly record struct Transition(HandlerState? Next, SdeiStatus Status)
{
    /// <summary>DENIED, and nothing changes.</summary>
    public static Transition Denied => new(null, SdeiStatus.Denied);

    /// <summary>SUCCESS.</summary>
    /// <param name="next">The next state.</param>
    public static implicit operator Transition(HandlerState next) => new(next, SdeiStatus.Success);
}
