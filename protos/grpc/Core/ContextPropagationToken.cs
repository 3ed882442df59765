namespace Grpc.Core;

/// <summary>Links a call made while serving another to that other; only in the shape of <see cref="ServerCallContext"/>.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }
}
