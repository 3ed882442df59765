namespace Hypercalls.Sdk;

/// <summary>Whose code a <see cref="ServiceSet"/> runs for one machine: for those who wait for it and may have to go on without that service, and for the log.</summary>
/// <param name="machine">The machine's name.</param>
public sealed class RunningService(string machine)
{
    [ThreadStatic]
    private static Stay? s_stay;

    [ThreadStatic]
    private static string? s_machine;

    [ThreadStatic]
    private static Mpidr? s_core;

    private volatile Stay? _stay;

    /// <summary>The machine's name.</summary>
    public string Machine => machine;

    internal static (string Service, string Machine, Mpidr? Core, string During) OnThisThread =>
        s_stay is { } stay ? (stay.Service.Name, s_machine!, s_core, stay.During) : ("", "", null, "");

    /// <summary>Nobody waits any longer: whoever goes on has another one of these.</summary>
    /// <returns>The service whose code was entered last, null before any was, and the name of the function or of the step.</returns>
    public (Service? Service, string During) Leave() => _stay is { } stay ? (stay.Service, stay.During) : (null, "");

    /// <summary>This thread runs no service's code any longer.</summary>
    public static void LeaveThread() => s_stay = null;

    internal void Enter(Service service, string during, Mpidr? core = null) => Enter(new(service, during), core);

    internal void Enter(Stay stay, Mpidr? core)
    {
        EnterApart(stay, machine, core);
        _stay = stay;
    }

    /// <summary>This thread runs a service's code outside the machine's turn: for the log alone.</summary>
    internal static void EnterApart(Stay stay, string machine, Mpidr? core) => (s_stay, s_machine, s_core) = (stay, machine, core);
}

/// <summary>A stay in a service's code.</summary>
internal sealed record Stay(Service Service, string During);
