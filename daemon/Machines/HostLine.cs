using System.Threading.Channels;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What is told to one host, as long as it is the machine's. It holds the levels of all cores many times over: a host that does not read them is let go.</summary>
internal sealed class HostLine(int cores)
{
    // Levels change thousands of times a second under a storm of events: a writer that a busy machine holds up for half a second is no deaf host.
    private const int Reserve = 4096;

    private readonly Channel<ToHost> _channel = Channel.CreateBounded<ToHost>(new BoundedChannelOptions((4 * cores) + Reserve) { SingleReader = true });
    private readonly TaskCompletionSource _overflowed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ChannelReader<ToHost> Reader => _channel.Reader;

    /// <summary>Completes when the host has left too much unread: it gets nothing more.</summary>
    public Task Overflowed => _overflowed.Task;

    /// <summary>Adds a message; false, once, when the host has left too much unread.</summary>
    public bool TryTell(ToHost message)
    {
        if (_channel.Writer.TryWrite(message) || !_channel.Writer.TryComplete())
        {
            return true;
        }

        _overflowed.SetResult();
        return false;
    }

    /// <summary>Nothing follows but a farewell.</summary>
    public void End(ToHost.Goodbye? goodbye = null)
    {
        if (goodbye is not null)
        {
            _channel.Writer.TryWrite(goodbye);
        }

        _channel.Writer.TryComplete();
    }
}

/// <summary>What the daemon tells a host unasked.</summary>
internal abstract record ToHost
{
    private ToHost()
    {
    }

    public sealed record Attention(Mpidr Core, bool Wanted) : ToHost;

    /// <param name="Reason">A sentence.</param>
    /// <param name="TakenOver">Another host has the machine: this one is not to attach again.</param>
    public sealed record Goodbye(string Reason, bool TakenOver = false) : ToHost;
}
