using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Loading;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>hypercalls.v1.Operator: what people and their tools ask.</summary>
internal sealed class OperatorEndpoint(MachineRegistry machines, IReadOnlyList<LoadedPlugin> plugins, CallJournal journal, DaemonOptions options, DaemonLife life, TimeProvider clock, ILogger<OperatorEndpoint> log)
    : Protos.Operator.OperatorBase
{
    public override Task<Protos.ListServicesReply> ListServices(Protos.ListServicesRequest request, ServerCallContext context)
    {
        var reply = new Protos.ListServicesReply();
        foreach (var plugin in plugins)
        {
            if (plugin.Failure is { } failure)
            {
                reply.Services.Add(new Protos.Service { Name = Path.GetFileName(plugin.Folder), Failure = failure, Path = plugin.Folder });
            }

            foreach (var service in plugin.Services)
            {
                reply.Services.Add(new Protos.Service
                {
                    Name = service.Name,
                    Version = service.Version,
                    Path = plugin.Folder,
                    Functions = { service.Rows.Select(Function) },
                    Claims = { service.Claims.Select(claim => new Protos.ImmediateClaim { Conduit = ToWire.Conduit(claim.Conduit), Imm = claim.Immediate }) },
                    YieldsToKernel = service.YieldsToKernel,
                });
            }
        }

        return Task.FromResult(reply);
    }

    public override Task<Protos.ListMachinesReply> ListMachines(Protos.ListMachinesRequest request, ServerCallContext context) =>
        Task.FromResult(new Protos.ListMachinesReply { Machines = { machines.ReachedBy(Peers.Of(context)).Select(Machine) } });

    public override async Task Watch(Protos.WatchRequest request, IServerStreamWriter<Protos.CallRecord> responseStream, ServerCallContext context)
    {
        var peer = Peers.Of(context);
        if (request.Machine.Length > 0)
        {
            // It need not be attached yet.
            Check(request.Machine, peer);
        }

        HashSet<uint> ids = [.. request.Ids];
        using var watcher = journal.Watch(entry =>
            (request.Machine.Length == 0 ? peer.MayReach(entry.Machine) : request.Machine == entry.Machine)
            && (ids.Count == 0 || ids.Contains(entry.Call.Function.Value) || ids.Contains(entry.Call.Function.WithoutHint.Value)));
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, life.Stopping);
        // Headers first: a watcher that has them misses nothing from then on.
        await context.WriteResponseHeadersAsync([]);
        try
        {
            await foreach (var (entry, dropped) in watcher.Entries.ReadAllAsync(ending.Token))
            {
                await responseStream.WriteAsync(ToWire.Record(entry, dropped));
            }
        }
        catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
        {
            // The daemon stops: the stream ends in order.
        }
    }

    public override Task<Protos.RaiseReply> Raise(Protos.RaiseRequest request, ServerCallContext context)
    {
        _ = Find(request.Machine, context);
        var known = plugins.SelectMany(plugin => plugin.Services).Any(service => service.Name.Equals(request.Service, StringComparison.OrdinalIgnoreCase));
        throw new RpcException(known
            ? new Status(StatusCode.FailedPrecondition, $"service: {request.Service} takes no events.")
            : new Status(StatusCode.NotFound, $"service: no service is named {request.Service}. `hypercalls services` lists them."));
    }

    public override async Task<Protos.GetStateReply> GetState(Protos.GetStateRequest request, ServerCallContext context)
    {
        var machine = Find(request.Machine, context);
        // Elsewhere: how a state is written is its service's code.
        var writing = Task.Run(() => machine.StateOf(request.Service), CancellationToken.None).MayBeAbandoned();
        try
        {
            var json = await writing.WaitAsync(options.Deadline * 2, context.CancellationToken);
            return new()
            {
                Json = json ?? throw new RpcException(new Status(StatusCode.NotFound, $"service: no service is named {request.Service}. `hypercalls services` lists them.")),
            };
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.Aborted, $"{request.Service} does not write its state for {request.Machine} in time."));
        }
    }

    private Machine Find(string name, ServerCallContext context)
    {
        var peer = Peers.Of(context);
        Check(name, peer);
        return machines.Find(name, peer) ?? throw Refusal.NoMachine(name, machines.ReachedBy(peer));
    }

    private void Check(string machine, Peer peer)
    {
        try
        {
            peer.CheckReach(FromWire.Name("machine", machine, mayBeEmpty: false));
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    private static Protos.Function Function(ServedFunction row) => new()
    {
        Ids = { row.Ids.Select(id => id.Value) },
        Name = row.Name,
        Parameters = { row.Parameters },
        NoReturn = row.Traits.IsNoReturn,
        Mandatory = row.Traits.IsMandatory,
    };

    private Protos.Machine Machine(Machine machine)
    {
        var (description, boot, commit) = machine.Snapshot();
        return new()
        {
            Name = machine.Name,
            Host = machine.Host,
            Cores = { description.Cores.Select(ToWire.Core) },
            Boot = boot,
            Attached = machine.IsAttached,
            Calls = machine.Calls,
            Fallbacks = machine.Fallbacks,
            Failures = machine.Failures,
            Commit = commit,
            StateSeconds = (ulong)clock.GetElapsedTime(machine.Since).TotalSeconds,
            NeverArrives = { machine.Served.Conflicts.Sentences() },
            Remarks = { machine.Remarks },
        };
    }
}
