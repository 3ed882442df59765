using System.CommandLine;
using System.Globalization;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls machines: who is attached.</summary>
internal static class MachinesCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "The list as JSON." };
        var command = new Command("machines", "List the attached machines.") { json };
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            using var channel = daemon.Connect(parsed);
            var reply = await new Operator.OperatorClient(channel.CreateCallInvoker()).ListMachinesAsync(new(), cancellationToken: cancelled);
            if (parsed.GetValue(json))
            {
                Json.Write(reply);
                return ExitCode.Done;
            }

            var table = Terminal.Table("machine", "host", "state", "cores on", "boot", "calls", "fallbacks", "failures");
            foreach (var machine in reply.Machines)
            {
                var on = machine.Cores.Count(core => core.Power is CorePower.On or CorePower.Suspended);
                table.Row(
                    machine.Name,
                    machine.Host,
                    $"{(machine.Attached ? "attached" : "lost")} {machine.StateSeconds.ToString(CultureInfo.InvariantCulture)} s",
                    $"{on.ToString(CultureInfo.InvariantCulture)} of {machine.Cores.Count.ToString(CultureInfo.InvariantCulture)}",
                    machine.Boot.ToString(CultureInfo.InvariantCulture),
                    machine.Calls.ToString(CultureInfo.InvariantCulture),
                    machine.Fallbacks.ToString(CultureInfo.InvariantCulture),
                    machine.Failures.ToString(CultureInfo.InvariantCulture));
            }

            Terminal.Out.Write(table);
            foreach (var (machine, sentence) in reply.Machines.SelectMany(machine => machine.NeverArrives.Select(sentence => (machine, sentence))))
            {
                Console.WriteLine(Printable.Line($"{machine.Name}: {sentence}."));
            }

            foreach (var (machine, sentence) in reply.Machines.SelectMany(machine => machine.Remarks.Select(sentence => (machine, sentence))))
            {
                Console.WriteLine(Printable.Line($"{machine.Name}: {sentence}"));
            }

            return ExitCode.Done;
        });
        return command;
    }
}
