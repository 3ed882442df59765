namespace Hypercalls.Sdei;

/// <summary>The state of an event's handler; the values are those of SDEI_EVENT_STATUS (DEN0054, Event handler states).</summary>
public enum HandlerState : byte
{
    /// <summary>handler-unregistered.</summary>
    Unregistered = 0,

    /// <summary>handler-registered: triggers are kept.</summary>
    Registered = 1,

    /// <summary>handler-enabled: triggers are dispatched.</summary>
    Enabled = 3,

    /// <summary>handler-unregister-pending: it runs for the last time.</summary>
    UnregisterPending = 4,

    /// <summary>handler-registered, and it runs.</summary>
    RegisteredRunning = 5,

    /// <summary>handler-enabled, and it runs.</summary>
    EnabledRunning = 7,
}
