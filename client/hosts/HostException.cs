namespace Hypercalls.Hosts;

/// <summary>The machine cannot be made or started; the message is a sentence for a person, with the remedy where there is one.</summary>
public sealed class HostException : Exception
{
    public HostException(string message)
        : base(message)
    {
    }

    public HostException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What was asked for contradicts itself, or the machine asked for: nothing on this computer can help.</summary>
    public bool IsBadInput { get; init; }
}
