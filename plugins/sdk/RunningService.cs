namespace Hypercalls.Sdk;

/// <summary>Whose code a <see cref="ServiceSet"/> runs for one machine: for those who wait for it and may have to go on without that service.</summary>
public sealed class RunningService
{
    private volatile Service? _service;
    private volatile string _during = "";

    /// <summary>The service whose code was entered last; null before any was.</summary>
    public Service? Service => _service;

    /// <summary>The name of the function or of the step it runs.</summary>
    public string During => _during;

    internal void Enter(Service service, string during)
    {
        _during = during;
        _service = service;
    }
}
