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
                reply.Services.Add(new Protos.Service { Name = plugin.Name, Failure = failure, Path = plugin.Folder });
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

    public override async Task<Protos.RaiseReply> Raise(Protos.RaiseRequest request, ServerCallContext context)
    {
        var peer = Peers.Of(context);
        var machine = MachineOf(request.Machine, peer);
        var service = request.Service.Length == 0 ? OnlyRaisable(machine) : ServiceOf(machine, request.Service);
        if (!service.IsRaisable)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"service: {service.Name} takes no events."));
        }

        try
        {
            Mpidr? core = request.HasCore ? FromWire.Mpidr("core", request.Core) : null;
            if (core is { } mpidr && machine.Core(mpidr) is null)
            {
                throw new BadMessageException("core", $"{machine.Name} has no core {mpidr}.");
            }

            // On a thread of its own: a service that does not return must not keep the operator.
            var raised = await Task.Run(() => machine.Raise(service, request.Event, core)).MayBeAbandoned().WaitAsync(options.HostDeadline, clock, context.CancellationToken);
            Log.Raised(log, machine.Name, peer, request.Event, service.Name, raised.Result);
            return ToWire.Raised(raised);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"{service.Name} has not come back within {options.HostDeadlineMs} ms. `hypercalls state {service.Name}` shows whether it took the event."));
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    public override async Task<Protos.GetStateReply> GetState(Protos.GetStateRequest request, ServerCallContext context)
    {
        var machine = MachineOf(request.Machine, Peers.Of(context));
        var service = ServiceOf(machine, request.Service);
        // Elsewhere: how a state is written is its service's code.
        var writing = Task.Run(() => machine.Read(service), CancellationToken.None).MayBeAbandoned();
        try
        {
            var (json, tables) = await writing.WaitAsync(options.Deadline * 2, context.CancellationToken);
            return ToWire.State(json, tables);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.Aborted, $"{service.Name} does not write its state for {machine.Name} in time."));
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    /// <summary>The machine of that name; where none is named, the only one that is attached.</summary>
    private Machine MachineOf(string name, Peer peer)
    {
        if (name.Length == 0)
        {
            return machines.ReachedBy(peer).Where(machine => machine.IsAttached).ToList() switch
            {
                [var only] => only,
                [] => throw new RpcException(new Status(StatusCode.FailedPrecondition, "machine: none is attached. `hypercalls machines` lists those whose host was lost.")),
                var several => throw new RpcException(new Status(StatusCode.FailedPrecondition, $"machine: several are attached, name one: {Listed(several.Select(machine => machine.Name))}.")),
            };
        }

        Check(name, peer);
        return machines.Find(name, peer) ?? throw Refusal.NoMachine(name, machines.ReachedBy(peer));
    }

    private static Service ServiceOf(Machine machine, string name)
    {
        try
        {
            return machine.ServiceNamed(FromWire.Name("service", name, mayBeEmpty: false))
                ?? throw new RpcException(new Status(StatusCode.NotFound, $"service: no service is named {name}. `hypercalls services` lists them."));
        }
        catch (BadMessageException e)
        {
            throw Refusal.Of(e);
        }
    }

    private static Service OnlyRaisable(Machine machine) => machine.Served.Services.Raisable switch
    {
        [var only] => only,
        [] => throw new RpcException(new Status(StatusCode.FailedPrecondition, $"service: none that takes part on {machine.Name} takes events.")),
        var several => throw new RpcException(new Status(StatusCode.FailedPrecondition, $"service: several take events, name one: {Listed(several.Select(service => service.Name))}.")),
    };

    private static string Listed(IEnumerable<string> names)
    {
        string[] all = [.. names];
        var shown = string.Join(", ", all.Take(Limits.NamesListed));
        return all.Length > Limits.NamesListed ? $"{shown} and {all.Length - Limits.NamesListed} more" : shown;
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
