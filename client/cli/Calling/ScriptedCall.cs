using Hypercalls.Hosts.Caller;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>A call as somebody wrote it.</summary>
/// <param name="Where">For people: "call 2, line 1, column 14".</param>
/// <param name="Prefix">As written: "hvc#0x10 ", or empty.</param>
/// <param name="Conduit">Unspecified where none is written.</param>
/// <param name="Immediate">Of the instruction.</param>
/// <param name="Function">An ID or a name.</param>
/// <param name="Arguments">x1 upwards.</param>
internal sealed record ScriptedCall(string Where, string Prefix, Conduit Conduit, ushort Immediate, string Function, IReadOnlyList<ScriptedArgument> Arguments)
{
    /// <summary>What is wrong with it.</summary>
    public CliException Fault(string sentence) => new($"--calls: {Where}: {sentence}", ExitCode.BadInput);
}

/// <summary>An argument, as written and as it is passed.</summary>
internal sealed record ScriptedArgument(string Text, CallerArgument Value);
