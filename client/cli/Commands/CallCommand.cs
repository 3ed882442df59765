using System.CommandLine;
using System.Globalization;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls call: one hypercall by hand.</summary>
internal static class CallCommand
{
    public static Command Create()
    {
        var function = new Argument<string>("function") { Description = "An ID (0xC4000003) or a name (CPU_ON, PSCI_VERSION)." };
        var arguments = new Argument<string[]>("arguments") { Description = "x1 upwards: hexadecimal with 0x, or decimal.", Arity = ArgumentArity.ZeroOrMore };
        var machine = new Option<string?>("--machine") { Description = "Call on this machine instead of a fresh scratch machine.", HelpName = "name" };
        var apply = new Option<bool>("--apply") { Description = "With --machine: let an effect arise." };
        var conduit = ConduitOption();
        var immediate = new Option<string>("--imm") { Description = "The immediate, 16 bits.", HelpName = "n", DefaultValueFactory = _ => "0" };
        var isAArch32 = new Option<bool>("--a32") { Description = "Call from AArch32 state." };
        var core = new Option<string>("--core") { Description = "The calling core's affinity.", HelpName = "mpidr", DefaultValueFactory = _ => "0" };
        var json = new Option<bool>("--json") { Description = "The reply as JSON." };
        var command = new Command("call", "Make one hypercall by hand: on a scratch machine, where effects are shown and never applied, or on a live one.")
        {
            function, arguments, machine, apply, conduit, immediate, isAArch32, core, json,
        };
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            var request = new CallRequest
            {
                Machine = parsed.GetValue(machine) ?? "",
                Apply = parsed.GetValue(apply),
                Conduit = ConduitOf(parsed.GetValue(conduit)!),
                Imm = (uint)FunctionArgument.Number(parsed.GetValue(immediate)!, 16, "an immediate"),
                ExecutionState = parsed.GetValue(isAArch32) ? ExecutionState.Aarch32 : ExecutionState.Aarch64,
                Core = FunctionArgument.Number(parsed.GetValue(core)!, 64, "a core's affinity"),
            };
            var text = parsed.GetRequiredValue(function);
            if (FunctionArgument.TryNumber(text, 32, "a function ID", out var id))
            {
                request.Id = (uint)id;
            }
            else
            {
                request.Name = text;
            }

            request.Arguments.Add(parsed.GetValue(arguments)!.Select(argument => FunctionArgument.Number(argument, 64, "an argument")));
            using var channel = daemon.Connect(parsed);
            var reply = await new Protos.Hypercalls.HypercallsClient(channel.CreateCallInvoker()).CallAsync(request, cancellationToken: cancelled);
            if (parsed.GetValue(json))
            {
                Json.Write(reply);
            }
            else
            {
                Show(reply);
            }

            return ExitCode.Done;
        });
        return command;
    }

    public static Option<string> ConduitOption()
    {
        var option = new Option<string>("--conduit") { Description = "smc or hvc.", DefaultValueFactory = _ => "smc" };
        option.AcceptOnlyFromAmong("smc", "hvc");
        return option;
    }

    public static Conduit ConduitOf(string text) => text == "hvc" ? Conduit.Hvc : Conduit.Smc;

    private static void Show(CallReply reply)
    {
        string[] outcome = [reply.ResultText, reply.EffectText];
        var name = reply.Function.Length > 0 ? $"{reply.Function} ({CallLine.Id(reply.Id)})" : CallLine.Id(reply.Id);
        Console.WriteLine(Printable.Line($"{name} = {string.Join(", ", outcome.Where(text => text.Length > 0))}   by {(reply.Service.Length > 0 ? reply.Service : "nobody")}"));
        if (reply.Results.Count > 0)
        {
            Console.WriteLine(string.Join("  ", reply.Results.Select((value, n) => string.Create(CultureInfo.InvariantCulture, $"x{n} 0x{value:x}"))));
        }

        if (reply.Note.Length > 0)
        {
            Console.WriteLine(Printable.Line(reply.Note));
        }
    }
}
