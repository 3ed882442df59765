using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>What a request must be before it is a call (gRPC over HTTP/2, Requests), and what a call needs that other requests may not have.</summary>
internal static class RequestCheck
{
    /// <summary>False when the request is answered by its HTTP status.</summary>
    public static bool Passes(HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            context.Response.Headers.Upgrade = "h2c";
            return false;
        }

        if (!GrpcHeaders.IsGrpcContentType(context.Request.ContentType))
        {
            context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return false;
        }

        // A stream may be idle for hours and may carry any number of bytes: the limits are those of messages.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        return true;
    }
}
