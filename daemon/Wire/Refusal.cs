using Grpc.Core;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>Statuses of the connection, each with a sentence; never for a guest's mistake.</summary>
internal static class Refusal
{
    public static RpcException Of(Exception fault) => fault switch
    {
        BadMessageException { IsLimit: true } or TooManyException => new(new Status(StatusCode.ResourceExhausted, fault.Message)),
        BadMessageException => new(new Status(StatusCode.InvalidArgument, fault.Message)),
        ForbiddenException => new(new Status(StatusCode.PermissionDenied, fault.Message)),
        DeposedException => new(new Status(StatusCode.Aborted, fault.Message)),
        OutOfOrderException => new(new Status(StatusCode.FailedPrecondition, fault.Message)),
        _ => new(new Status(StatusCode.Internal, fault.Message)),
    };

    public static bool IsKnown(Exception fault) => fault is BadMessageException or OutOfOrderException or ForbiddenException or TooManyException or DeposedException;

    /// <summary>With a line in the log where somebody asked for what is not theirs.</summary>
    public static RpcException Of(Exception fault, ILogger log)
    {
        if (fault is ForbiddenException)
        {
            Log.Refused(log, fault.Message);
        }

        return Of(fault);
    }

    public static RpcException NoMachine(string name, IEnumerable<Machine> all)
    {
        var closest = ClosestNames.To(name, all.Select(machine => machine.Name));
        var hint = closest.Count > 0 ? $"Did you mean {string.Join(", ", closest)}?" : "`hypercalls machines` lists them.";
        return new(new Status(StatusCode.NotFound, $"machine: no machine is named {name}. {hint}"));
    }
}
