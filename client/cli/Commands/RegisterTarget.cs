using System.CommandLine;
using Hypercalls.Client.Kernel;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>Whose register is asked: an attached machine's, that of a kernel which one does not have, or that of the services alone.</summary>
internal sealed class RegisterTarget
{
    private readonly Option<string?> _machine = new("--machine") { Description = "As this machine's kernel and services answer.", HelpName = "name" };

    private readonly Option<string?> _profile = new("--profile")
    {
        Description = $"As these services would answer behind this kernel: {string.Join(", ", KernelProfiles.Kernels.Keys)}.",
        HelpName = "kernel",
    };

    private RegisterTarget()
    {
    }

    public static RegisterTarget AddTo(Command command)
    {
        var target = new RegisterTarget();
        command.Add(target._machine);
        command.Add(target._profile);
        return target;
    }

    /// <summary>Whether either is given.</summary>
    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_machine) is not null || parsed.GetValue(_profile) is not null;

    /// <summary>A query about it, to be completed with the caller.</summary>
    /// <exception cref="CliException">Both are given, or no profile has the name.</exception>
    public RegisterQuery Query(ParseResult parsed) => (parsed.GetValue(_machine), parsed.GetValue(_profile)) switch
    {
        (null, null) => new(),
        ({ } machine, null) => new() { Machine = machine },
        (null, { } profile) => new()
        {
            Ranges = KernelProfiles.Find(profile)
                ?? throw new CliException($"No profile is named {profile}: there are {string.Join(", ", KernelProfiles.Kernels.Keys)}.", ExitCode.BadInput),
        },
        _ => throw new CliException("--machine and --profile exclude each other: give the one whose register you want.", ExitCode.BadInput),
    };
}
