namespace Hypercalls.Cli;

/// <summary>What the tool ends with.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>It went wrong, or was refused: the sentence on standard error says how.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a value in it is wrong.</summary>
    public const int BadInput = 2;

    /// <summary>No daemon answers.</summary>
    public const int NoDaemon = 3;
}
