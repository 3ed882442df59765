using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>The status of a call that the transport has failed.</summary>
internal static class TransportErrors
{
    /// <param name="exception">What the transport has thrown.</param>
    /// <param name="mayBeRefusal">Whether this end has shown a certificate and heard nothing since: in TLS 1.3 a server that refuses it only hangs up.</param>
    public static Status StatusOf(Exception exception, bool mayBeRefusal = false) => exception switch
    {
        RpcException refused => refused.Status,

        // NO_ERROR without a status before it: a server that goes away.
        _ when Find<HttpProtocolException>(exception) is { ErrorCode: 0 } =>
            new Status(StatusCode.Unavailable, "The server closed the connection.", exception),
        _ when Find<HttpProtocolException>(exception) is { } reset =>
            new Status(HttpErrors.FromHttp2Error(reset.ErrorCode), $"The server reset the call: {reset.Message}", exception),
        _ when Find<AuthenticationException>(exception) is { } untrusted =>
            new Status(StatusCode.Unauthenticated, untrusted.InnerException is null ? untrusted.Message : $"The TLS handshake failed: {untrusted.GetBaseException().Message}", exception),
        HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError and not HttpRequestError.NameResolutionError } when mayBeRefusal =>
            new Status(StatusCode.Unavailable, "The server hung up without an answer. Where it refuses this certificate, its log says why.", exception),
        _ when Find<SocketException>(exception) is { } failed =>
            new Status(StatusCode.Unavailable, $"The connection failed: {failed.Message}", exception),
        OperationCanceledException { InnerException: TimeoutException } =>
            new Status(StatusCode.Unavailable, "The connection did not come up in time.", exception),
        OperationCanceledException => new Status(StatusCode.Cancelled, "The call was cancelled.", exception),
        HttpRequestException or IOException => new Status(StatusCode.Unavailable, $"The connection failed: {exception.Message}", exception),
        ObjectDisposedException => new Status(StatusCode.Cancelled, "The channel or the call is disposed of.", exception),
        _ => new Status(StatusCode.Internal, exception.Message, exception),
    };

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is T found)
            {
                return found;
            }
        }

        return null;
    }
}
