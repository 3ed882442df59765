using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;

namespace Hypercalls.Grpc;

/// <summary>Reads what a server says about a call before and after its messages (gRPC over HTTP/2, Responses).</summary>
internal static class ResponseHeader
{
    /// <summary>The status of a response that is none of gRPC's; null for those that are.</summary>
    public static Status? Refusal(HttpResponseMessage response)
    {
        if (StatusIn(response.Headers) is not null)
        {
            return null;
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new Status(HttpErrors.FromHttpStatus((int)response.StatusCode), $"The server answered with HTTP status {(int)response.StatusCode}.");
        }

        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        return GrpcHeaders.IsGrpcContentType(contentType)
            ? null
            : new Status(StatusCode.Unknown, $"The server answered with content type '{contentType}', which is not gRPC's.");
    }

    /// <summary>The status among headers or trailers, null where none is.</summary>
    public static Status? StatusIn(HttpHeaders headers)
    {
        if (!headers.NonValidated.TryGetValues(GrpcHeaders.Status, out var text))
        {
            return null;
        }

        var message = headers.NonValidated.TryGetValues(GrpcHeaders.Message, out var encoded) ? GrpcMessage.Decode(encoded.ToString()) : "";
        return int.TryParse(text.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var code) && Enum.IsDefined((StatusCode)code)
            ? new Status((StatusCode)code, message)
            : new Status(StatusCode.Unknown, $"The server ended the call with grpc-status '{text}', which is not defined. {message}".TrimEnd());
    }

    /// <summary>The metadata among headers or trailers. A value that cannot be read is passed over: the status beside it counts for more.</summary>
    public static Metadata MetadataIn(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                MetadataHeaders.TryAdd(metadata, name, value);
            }
        }

        return metadata;
    }
}
