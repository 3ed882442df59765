using Microsoft.Extensions.Hosting;

namespace Hypercalls.Daemon;

/// <summary>When the daemon stops: long streams end in order before connections are cut.</summary>
internal sealed class DaemonLife(IHostApplicationLifetime lifetime)
{
    public CancellationToken Stopping => lifetime.ApplicationStopping;
}
