namespace Hypercalls.Daemon.Wire;

/// <summary>What the daemon receives at most.</summary>
internal static class Limits
{
    public const int MessageBytes = 64 * 1024;
    public const int ReadyBytes = 1024 * 1024;
    public const int Cores = 1024;

    /// <summary>Over TCP at one time.</summary>
    public const int Connections = 1024;
    /// <summary>What a stream that says nothing is kept for.</summary>
    public static readonly TimeSpan FirstMessage = TimeSpan.FromSeconds(30);

    public const int Ranges = 4096;
    public const int NameBytes = 128;
    public const int EventData = 16;
    public const int InstructionBytes = 15;

    /// <summary>What the daemon sends at most of a service's state.</summary>
    public const int StateBytes = 4 * 1024 * 1024;
    public const int TableRows = 65_536;

    /// <summary>Of a sentence for a person, in characters.</summary>
    public const int TextLength = 4096;
    /// <summary>Of a list within a sentence.</summary>
    public const int NamesListed = 16;
}
