namespace Hypercalls.Sdei;

/// <summary>Where an event belongs (DEN0054, SDEI_EVENT_GET_INFO, EV_TYPE).</summary>
public enum EventType : byte
{
    /// <summary>Each PE has its own.</summary>
    Private = 0,

    /// <summary>All PEs share it.</summary>
    Shared = 1,
}

/// <summary>How urgent an event is (DEN0054, SDEI_EVENT_GET_INFO, EV_PRIORITY).</summary>
public enum EventPriority : byte
{
    /// <summary>Its handler interrupts no other.</summary>
    Normal = 0,

    /// <summary>Its handler interrupts one of normal priority.</summary>
    Critical = 1,
}

/// <summary>Who handles a shared event (DEN0054, SDEI_EVENT_GET_INFO, EV_ROUTING_MODE).</summary>
public enum RoutingMode : byte
{
    /// <summary>RM_ANY: any PE that can.</summary>
    Any = 0,

    /// <summary>RM_PE: one PE alone.</summary>
    Pe = 1,
}
