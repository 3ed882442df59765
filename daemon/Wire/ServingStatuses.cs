using Hypercalls.Daemon.Wire.Grpc;
using Microsoft.Extensions.Hosting;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hypercalls.Daemon.Wire;

/// <summary>The serving status of each gRPC service, and of the daemon as a whole under the empty name: SERVING once mapped, unless told otherwise (GRPC Health Checking Protocol).</summary>
internal sealed class ServingStatuses
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ServingStatus> _statuses = [];
    private readonly GrpcServices _services;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ServingStatuses(GrpcServices services, IHostApplicationLifetime lifetime)
    {
        _services = services;
        lifetime.ApplicationStopping.Register(Close);
    }

    /// <summary>True from <see cref="Close"/> on.</summary>
    public bool IsClosed { get; private set; }

    public void Set(string service, ServingStatus status)
    {
        lock (_gate)
        {
            _statuses[service] = status;
            Announce();
        }
    }

    /// <summary>The daemon goes down: nothing is served from now on, and watchers are to leave.</summary>
    public void Close()
    {
        lock (_gate)
        {
            IsClosed = true;
            Announce();
        }
    }

    /// <summary>The status, null for a service never heard of, and a task that completes when any status changes after it was taken.</summary>
    public (ServingStatus? Status, Task Changed) Look(string service)
    {
        lock (_gate)
        {
            return (Status(service), _changed.Task);
        }
    }

    private ServingStatus? Status(string service)
    {
        var isKnown = _statuses.TryGetValue(service, out var status);
        if (!isKnown && service.Length > 0 && !_services.Contains(service))
        {
            return null;
        }

        return IsClosed ? ServingStatus.NotServing
            : isKnown ? status
            : ServingStatus.Serving;
    }

    private void Announce()
    {
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
