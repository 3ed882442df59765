namespace Grpc.Core;

/// <summary>The messages of a stream, one after the other; one read at a time.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message of the last MoveNext that said true.</summary>
    T Current { get; }

    Task<bool> MoveNext(CancellationToken cancellationToken);
}
