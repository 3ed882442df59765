using Grpc.Core;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Wire;

/// <summary>Statuses of the connection, each with a sentence; never for a guest's mistake.</summary>
internal static class Refusal
{
    public static RpcException Of(Exception fault) => fault switch
    {
        BadMessageException { IsLimit: true } => new(new Status(StatusCode.ResourceExhausted, fault.Message)),
        BadMessageException => new(new Status(StatusCode.InvalidArgument, fault.Message)),
        OutOfOrderException => new(new Status(StatusCode.FailedPrecondition, fault.Message)),
        _ => new(new Status(StatusCode.Internal, fault.Message)),
    };

    public static bool IsKnown(Exception fault) => fault is BadMessageException or OutOfOrderException;

    public static RpcException NoMachine(string name, IEnumerable<Machine> all)
    {
        var closest = ClosestNames.To(name, all.Select(machine => machine.Name));
        var hint = closest.Count > 0 ? $"Did you mean {string.Join(", ", closest)}?" : "`hypercalls machines` lists them.";
        return new(new Status(StatusCode.NotFound, $"machine: no machine is named {name}. {hint}"));
    }
}
