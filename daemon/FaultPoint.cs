namespace Hypercalls.Daemon;

/// <summary>
/// Places in the life of a call at which the daemon of the tests can be killed. This daemon compiles to nothing here: the other half of the class is in
/// tests/FaultyDaemon, and a partial method without one is no call.
/// </summary>
internal static partial class FaultPoint
{
    /// <summary>An exit was read, and nobody has looked at it.</summary>
    public static void BeforeDispatch() => Reached(nameof(BeforeDispatch));

    /// <summary>The service's code has come back, and nothing of it is committed.</summary>
    public static void AfterService() => Reached(nameof(AfterService));

    /// <summary>The state is committed, and the answer has not left.</summary>
    public static void AfterCommit() => Reached(nameof(AfterCommit));

    /// <summary>The answer has been written to the connection.</summary>
    public static void AfterAnswer() => Reached(nameof(AfterAnswer));

    static partial void Reached(string place);
}
