namespace Hypercalls.Cli;

/// <summary>A fault to be shown as one sentence, without a stack trace.</summary>
internal sealed class CliException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
