using System.CommandLine;
using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls trace: calls as they happen, like strace.</summary>
internal static class TraceCommand
{
    public static Command Create()
    {
        var machine = new Option<string?>("--machine") { Description = "Only this machine.", HelpName = "name" };
        var function = new Option<string[]>("--function", "-f") { Description = "Only this function, by ID or name; may be repeated.", HelpName = "id" };
        var json = new Option<bool>("--json") { Description = "One JSON object per call." };
        var command = new Command("trace", "Show calls as they happen: names, arguments, results, duration inside the daemon. Ctrl-C ends it.") { machine, function, json };
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            using var channel = daemon.Connect(parsed);
            var invoker = channel.CreateCallInvoker();
            var request = new WatchRequest { Machine = parsed.GetValue(machine) ?? "" };
            foreach (var text in parsed.GetValue(function) ?? [])
            {
                request.Ids.Add(await IdsAsync(invoker, text, cancelled));
            }

            using var watch = new Operator.OperatorClient(invoker).Watch(request, cancellationToken: cancelled);
            try
            {
                while (await watch.ResponseStream.MoveNext(cancelled))
                {
                    Show(watch.ResponseStream.Current, parsed.GetValue(json), withMachine: request.Machine.Length == 0);
                }
            }
            catch (Exception e) when (cancelled.IsCancellationRequested && e is RpcException or OperationCanceledException)
            {
                // Ctrl-C.
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static void Show(CallRecord record, bool asJson, bool withMachine)
    {
        if (asJson)
        {
            Json.Write(record);
            return;
        }

        if (record.Dropped > 0)
        {
            Console.WriteLine($"… {record.Dropped} calls not shown: this terminal was too slow.");
        }

        Console.WriteLine(CallLine.Of(record, withNames: true, withMachine));
    }

    /// <summary>All IDs of a function: a name stands for its SMC32 and SMC64 twins.</summary>
    private static async Task<IEnumerable<uint>> IdsAsync(CallInvoker invoker, string text, CancellationToken cancelled)
    {
        if (FunctionArgument.TryNumber(text, 32, "a function ID", out var id))
        {
            return [(uint)id];
        }

        var register = new KernelRegister.KernelRegisterClient(invoker);
        var wide = await register.GetAsync(new() { Name = text, ExecutionState = ExecutionState.Aarch64 }, cancellationToken: cancelled);
        var narrow = await register.GetAsync(new() { Name = text, ExecutionState = ExecutionState.Aarch32 }, cancellationToken: cancelled);
        return [wide.W0, narrow.W0];
    }
}
