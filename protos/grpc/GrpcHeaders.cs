namespace Hypercalls.Grpc;

/// <summary>The names gRPC gives a meaning to (gRPC over HTTP/2).</summary>
public static class GrpcHeaders
{
    /// <summary>The media type of requests and responses.</summary>
    public const string ContentTypeValue = "application/grpc";

    /// <summary>How the call ended, a number.</summary>
    public const string Status = "grpc-status";

    /// <summary>How the call ended, a sentence, percent-encoded.</summary>
    public const string Message = "grpc-message";

    /// <summary>How long the caller waits.</summary>
    public const string Timeout = "grpc-timeout";

    /// <summary>How the messages of this direction are compressed.</summary>
    public const string Encoding = "grpc-encoding";

    /// <summary>What may be used in the other direction.</summary>
    public const string AcceptEncoding = "grpc-accept-encoding";

    /// <summary>No compression.</summary>
    public const string Identity = "identity";

    /// <summary>True for application/grpc and application/grpc+proto, alone or with parameters.</summary>
    public static bool IsGrpcContentType(string? contentType)
    {
        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).TrimEnd();
        return type.Equals(ContentTypeValue, StringComparison.OrdinalIgnoreCase)
            || type.Equals(ContentTypeValue + "+proto", StringComparison.OrdinalIgnoreCase);
    }
}
