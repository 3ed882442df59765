using System.CommandLine;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls query: who would answer this call?</summary>
internal static class QueryCommand
{
    public static Command Create()
    {
        var function = new Argument<string>("function") { Description = "An ID (0xC4000003) or a name (CPU_ON, SDEI_VERSION)." };
        var conduit = CallCommand.ConduitOption();
        var immediate = new Option<string>("--imm") { Description = "The immediate, 16 bits.", HelpName = "n", DefaultValueFactory = _ => "0" };
        var isAArch32 = new Option<bool>("--a32") { Description = "Called from AArch32 state." };
        var json = new Option<bool>("--json") { Description = "The answer as JSON." };
        var command = new Command("query", "Who would answer this call: the kernel, a service, nobody?") { function, conduit, immediate, isAArch32, json };
        var daemon = DaemonAddress.AddTo(command);
        var target = RegisterTarget.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            var query = target.Query(parsed);
            query.Conduit = CallCommand.ConduitOf(parsed.GetValue(conduit)!);
            query.Imm = (uint)FunctionArgument.Number(parsed.GetValue(immediate)!, 16, "an immediate");
            query.ExecutionState = parsed.GetValue(isAArch32) ? ExecutionState.Aarch32 : ExecutionState.Aarch64;
            var text = parsed.GetRequiredValue(function);
            if (FunctionArgument.TryNumber(text, 32, "a function ID", out var id))
            {
                query.W0 = (uint)id;
            }
            else
            {
                query.Name = text;
            }

            using var channel = daemon.Connect(parsed);
            var answer = await new KernelRegister.KernelRegisterClient(channel.CreateCallInvoker()).GetAsync(query, cancellationToken: cancelled);
            if (parsed.GetValue(json))
            {
                Json.Write(answer);
            }
            else
            {
                Console.WriteLine(Printable.Line($"{CallLine.Id(answer.W0)}{(answer.Function.Length > 0 ? $" {answer.Function}" : "")}: {AnswererText.Of(answer.AnsweredBy, answer.Service, answer.Reason, answer.Shadowed)}"));
            }

            return ExitCode.Done;
        });
        return command;
    }
}
