using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>The status of a call that ended without one (gRPC, HTTP to gRPC Status Code Mapping; gRPC over HTTP/2, Errors).</summary>
public static class HttpErrors
{
    /// <summary>For a response that has an HTTP status and no grpc-status.</summary>
    public static StatusCode FromHttpStatus(int status) => status switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    /// <summary>For a stream that was reset with an HTTP/2 error code.</summary>
    public static StatusCode FromHttp2Error(long code) => code switch
    {
        0x5 => StatusCode.Unknown,            // STREAM_CLOSED
        0x7 => StatusCode.Unavailable,        // REFUSED_STREAM
        0x8 => StatusCode.Cancelled,          // CANCEL
        0xb => StatusCode.ResourceExhausted,  // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied,   // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };
}
