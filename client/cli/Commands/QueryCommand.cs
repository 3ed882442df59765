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
        var daemon = DaemonAddress.Option();
        var machine = new Option<string?>("--machine") { Description = "As this machine's kernel and services answer.", HelpName = "name" };
        var conduit = CallCommand.ConduitOption();
        var immediate = new Option<string>("--imm") { Description = "The immediate, 16 bits.", HelpName = "n", DefaultValueFactory = _ => "0" };
        var isAArch32 = new Option<bool>("--a32") { Description = "Called from AArch32 state." };
        var json = new Option<bool>("--json") { Description = "The answer as JSON." };
        var command = new Command("query", "Who would answer this call: the kernel, a service, nobody?") { function, daemon, machine, conduit, immediate, isAArch32, json };
        command.SetAction(async (parsed, cancelled) =>
        {
            var query = new RegisterQuery
            {
                Conduit = CallCommand.ConduitOf(parsed.GetValue(conduit)!),
                Imm = (uint)FunctionArgument.Number(parsed.GetValue(immediate)!, 16, "an immediate"),
                ExecutionState = parsed.GetValue(isAArch32) ? ExecutionState.Aarch32 : ExecutionState.Aarch64,
            };
            if (parsed.GetValue(machine) is { } name)
            {
                query.Machine = name;
            }

            var text = parsed.GetRequiredValue(function);
            if (FunctionArgument.TryNumber(text, 32, "a function ID", out var id))
            {
                query.W0 = (uint)id;
            }
            else
            {
                query.Name = text;
            }

            using var channel = DaemonAddress.Connect(parsed.GetValue(daemon));
            var answer = await new KernelRegister.KernelRegisterClient(channel.CreateCallInvoker()).GetAsync(query, cancellationToken: cancelled);
            if (parsed.GetValue(json))
            {
                Json.Write(answer);
            }
            else
            {
                Console.WriteLine(Printable.Line($"{CallLine.Id(answer.W0)}{(answer.Function.Length > 0 ? $" {answer.Function}" : "")}: {Who(answer)}"));
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string Who(RegisterAnswer answer)
    {
        var reason = answer.Reason.Length > 0 ? $" ({answer.Reason})" : "";
        return answer.AnsweredBy switch
        {
            AnsweredBy.Kernel => $"the kernel{reason}",
            AnsweredBy.Service => answer.Service,
            AnsweredBy.Denied => $"denied{reason}",
            AnsweredBy.ClaimedButUnserved => $"claimed by the kernel, but not served{reason}",
            _ => "nobody: NOT_SUPPORTED",
        };
    }
}
