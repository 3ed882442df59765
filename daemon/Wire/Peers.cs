using Grpc.Core;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire.Grpc;

namespace Hypercalls.Daemon.Wire;

/// <summary>Who calls: what the connection has found out before it let any call in.</summary>
internal static class Peers
{
    public static Peer Of(ServerCallContext context) =>
        context.GetHttpContext().Features.Get<Peer>() ?? throw new RpcException(new Status(StatusCode.Unauthenticated, "The connection does not say who calls."));
}
