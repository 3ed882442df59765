using System.CommandLine;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls raise: an event from outside the guest.</summary>
internal static class RaiseCommand
{
    public static Command Create()
    {
        var @event = new Argument<string>("event") { Description = "Its number: hexadecimal with 0x, or decimal." };
        var service = new Option<string?>("--service") { Description = "The service that takes it; by default the only one that takes events.", HelpName = "name" };
        var core = new Option<string?>("--core") { Description = "At this core: its place (1) or its affinity (0.0.0.1).", HelpName = "core" };
        var json = new Option<bool>("--json") { Description = "The reply as JSON." };
        var command = new Command("raise", "Raise an event at a service of a machine, as hardware would. Ends with 0 where it is delivered, or kept until the guest lets it in, with 1 where it is refused.")
        {
            @event, service, core, json,
        };
        var machine = MachineOption.AddTo(command);
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            var request = new RaiseRequest
            {
                Event = FunctionArgument.Number(parsed.GetRequiredValue(@event), 64, "an event"),
                Service = parsed.GetValue(service) ?? "",
            };
            using var channel = daemon.Connect(parsed);
            var client = new Operator.OperatorClient(channel.CreateCallInvoker());
            var at = await machine.FindAsync(parsed, client, cancelled);
            request.Machine = at.Name;
            if (parsed.GetValue(core) is { } text)
            {
                request.Core = MachineOption.CoreOf(text, at);
            }

            var reply = await client.RaiseAsync(request, cancellationToken: cancelled);
            var isTaken = reply.Result is RaiseResult.Delivered or RaiseResult.Pending;
            if (parsed.GetValue(json))
            {
                Json.Write(reply);
            }
            else
            {
                (isTaken ? Console.Out : Console.Error).WriteLine(Printable.Line($"{Word(reply.Result)}: {reply.Text}"));
            }

            return isTaken ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static string Word(RaiseResult result) => result switch
    {
        RaiseResult.Delivered => "delivered",
        RaiseResult.Pending => "pending",
        _ => "refused",
    };
}
