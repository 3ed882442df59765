using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>From a call to the request below it; the name is that of Grpc.AspNetCore.</summary>
internal static class ServerCallContextExtensions
{
    public static HttpContext GetHttpContext(this ServerCallContext context) =>
        context is ServerCall call ? call.Http : throw new InvalidOperationException("The call came by no HTTP request.");
}
