namespace Hypercalls.Sdk;

/// <summary>Whose code a <see cref="ServiceSet"/> runs for one machine: for those who wait for it and may have to go on without that service.</summary>
public sealed class RunningService
{
    private readonly Lock _lock = new();
    private Service? _service;
    private string _during = "";
    private bool _isLeft;

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

    internal void Enter(Service service, string during)
    {
        lock (_lock)
        {
            if (!_isLeft)
            {
                (_service, _during) = (service, during);
            }
        }
    }
}
