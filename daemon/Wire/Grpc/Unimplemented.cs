using Grpc.Core;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The answer to calls that no service has mapped (gRPC, Status codes: UNIMPLEMENTED).</summary>
internal static class Unimplemented
{
    public static void Answer(HttpContext context, string detail)
    {
        if (!GrpcHeaders.IsGrpcContentType(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = GrpcHeaders.ContentTypeValue;
        context.Response.Headers[GrpcHeaders.Status] = ((int)StatusCode.Unimplemented).ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers[GrpcHeaders.Message] = GrpcMessage.Encode(detail);
    }
}
