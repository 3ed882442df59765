using System.CommandLine;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls services: what is loaded, and what each serves.</summary>
internal static class ServicesCommand
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "The list as JSON." };
        var command = new Command("services", "List the daemon's services and their functions.") { json };
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            using var channel = daemon.Connect(parsed);
            var reply = await new Operator.OperatorClient(channel.CreateCallInvoker()).ListServicesAsync(new(), cancellationToken: cancelled);
            if (parsed.GetValue(json))
            {
                Json.Write(reply);
                return ExitCode.Done;
            }

            var table = Terminal.Table("service", "function", "IDs", "parameters");
            foreach (var service in reply.Services)
            {
                if (service.Failure.Length > 0)
                {
                    table.Row(service.Name, $"failed: {service.Failure}", "", "");
                }

                foreach (var function in service.Functions)
                {
                    table.Row($"{service.Name} {service.Version}", function.Name, string.Join(" ", function.Ids.Select(CallLine.Id)), string.Join(", ", function.Parameters));
                }
            }

            Terminal.Out.Write(table);
            return ExitCode.Done;
        });
        return command;
    }
}
