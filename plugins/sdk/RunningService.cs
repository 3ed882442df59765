namespace Hypercalls.Sdk;

/// <summary>Whose code a <see cref="ServiceSet"/> runs for one machine: for those who wait for it and may have to go on without that service, and for the log.</summary>
/// <param name="machine">The machine's name.</param>
public sealed class RunningService(string machine)
{
    [ThreadStatic]
    private static (Service? Service, string Machine, Mpidr? Core, string During) s_here;

    private readonly Lock _lock = new();
    private Service? _service;
    private string _during = "";
    private bool _isLeft;

    /// <summary>The machine's name.</summary>
    public string Machine => machine;

    internal static (string Service, string Machine, Mpidr? Core, string During) OnThisThread =>
        s_here.Service is { } service ? (service.Name, s_here.Machine, s_here.Core, s_here.During) : ("", "", null, "");

    /// <summary>Nobody waits any longer: what is entered from now on, by the thread that comes back, is not noted.</summary>
    /// <returns>The service whose code was entered last, null before any was, and the name of the function or of the step.</returns>
    public (Service? Service, string During) Leave()
    {
        lock (_lock)
        {
            _isLeft = true;
            return (_service, _during);
        }
    }

    internal void Enter(Service service, string during, Mpidr? core = null)
    {
        s_here = (service, machine, core, during);
        lock (_lock)
        {
            if (!_isLeft)
            {
                (_service, _during) = (service, during);
            }
        }
    }

    /// <summary>This thread runs a service's code outside the machine's turn: for the log alone.</summary>
    internal static void EnterApart(Service service, string machine, Mpidr core, string during) => s_here = (service, machine, core, during);

    /// <summary>This thread runs no service's code any longer.</summary>
    public static void LeaveThread() => s_here = default;
}
