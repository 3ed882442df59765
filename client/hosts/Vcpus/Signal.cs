namespace Hypercalls.Hosts.Vcpus;

/// <summary>What a vCPU thread sleeps on; a signal given before the wait is not lost.</summary>
internal sealed class Signal
{
    private readonly object _gate = new();
    private bool _given;

    public void Give()
    {
        lock (_gate)
        {
            _given = true;
            System.Threading.Monitor.Pulse(_gate);
        }
    }

    /// <summary>Waits for a signal, at most this many milliseconds; −1 waits for ever.</summary>
    public void Wait(int milliseconds)
    {
        lock (_gate)
        {
            if (!_given)
            {
                System.Threading.Monitor.Wait(_gate, milliseconds);
            }
            _given = false;
        }
    }
}
