using System.CommandLine;
using System.Globalization;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>Which machine, for commands that need one: --machine, else the only one that is attached.</summary>
internal sealed class MachineOption
{
    private readonly Option<string?> _machine = new("--machine") { Description = "The machine; by default the only one that is attached.", HelpName = "name" };

    private MachineOption()
    {
    }

    public static MachineOption AddTo(Command command)
    {
        var machine = new MachineOption();
        command.Add(machine._machine);
        return machine;
    }

    /// <summary>The machine. One that is named and not listed has no cores here, and is the daemon's to refuse.</summary>
    /// <exception cref="CliException">None is named, and not exactly one is attached.</exception>
    public async Task<Machine> FindAsync(ParseResult parsed, Operator.OperatorClient client, CancellationToken cancelled)
    {
        var machines = (await client.ListMachinesAsync(new(), cancellationToken: cancelled)).Machines;
        if (parsed.GetValue(_machine) is { } name)
        {
            return machines.FirstOrDefault(machine => machine.Name == name) ?? new() { Name = name };
        }

        return machines.Where(machine => machine.Attached).ToList() switch
        {
            [var only] => only,
            [] => throw new CliException("No machine is attached. `hypercalls machines` lists those whose host was lost."),
            var several => throw new CliException(Printable.Line($"Several machines are attached, name one with --machine: {string.Join(", ", several.Select(machine => machine.Name))}."), ExitCode.BadInput),
        };
    }

    /// <summary>A core as people name it, by its place (1) or by its affinity (0.0.0.1), as the wire does.</summary>
    /// <exception cref="CliException">It is neither, or the machine has no such place.</exception>
    public static ulong CoreOf(string text, Machine machine)
    {
        if (text.Contains('.', StringComparison.Ordinal))
        {
            return Affinity(text) ?? throw new CliException($"{text} is no affinity: it has four numbers of 0 to 255, such as 0.0.0.1.", ExitCode.BadInput);
        }

        var place = FunctionArgument.Number(text, 64, "a core");
        return place < (ulong)machine.Cores.Count
            ? machine.Cores[(int)place].Mpidr
            : throw new CliException(
                Printable.Line(machine.Cores.Count == 0
                    ? $"No machine is named {machine.Name}. `hypercalls machines` lists them."
                    : string.Create(CultureInfo.InvariantCulture, $"{machine.Name} has the cores 0 to {machine.Cores.Count - 1}; {text} is none. An affinity is written 0.0.0.1.")),
                ExitCode.BadInput);
    }

    private static ulong? Affinity(string text)
    {
        string[] levels = text.Split('.');
        ulong affinity = 0;
        foreach (var level in levels)
        {
            if (levels.Length != 4 || !byte.TryParse(level, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }

            affinity = (affinity << 8) | number;
        }

        // Aff3 stands in bits 39:32 of MPIDR, above bits that are no part of the affinity.
        return ((affinity & 0xFF00_0000) << 8) | (affinity & 0xFF_FFFF);
    }
}
