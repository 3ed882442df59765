using System.Globalization;
using Grpc.Core;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The answer to calls that no service has mapped (gRPC, Status codes: UNIMPLEMENTED).</summary>
internal static class Unimplemented
{
    public static Task AnswerAsync(HttpContext context, GrpcServices services)
    {
        if (!GrpcHeaders.IsGrpcContentType(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        var path = context.Request.Path.Value!.Split('/', 3);
        var detail = services.Contains(path[1])
            ? $"The service {path[1]} has no method {path[2]}."
            : $"There is no service {path[1]} here.";
        context.Response.ContentType = GrpcHeaders.ContentTypeValue;
        context.Response.Headers[GrpcHeaders.Status] = ((int)StatusCode.Unimplemented).ToString(CultureInfo.InvariantCulture);
        context.Response.Headers[GrpcHeaders.Message] = GrpcMessage.Encode(detail);
        return Task.CompletedTask;
    }
}
