using System.CommandLine;
using Grpc.Core;
using Hypercalls.Qemu;

namespace Hypercalls.Cli;

/// <summary>Runs a command; every fault becomes one sentence and an exit code.</summary>
internal static class Invocation
{
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                Console.Error.WriteLine(error.Message);
            }

            Console.Error.WriteLine($"`hypercalls {parsed.CommandResult.Command.Name} --help` says what it takes.");
            return ExitCode.BadInput;
        }

        try
        {
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false });
        }
        catch (CliException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.ExitCode;
        }
        catch (QemuException e)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Failed;
        }
        catch (RpcException e)
        {
            Console.Error.WriteLine(e.Status.Detail.Length > 0 ? e.Status.Detail : $"The daemon answered {e.StatusCode}.");
            return e.StatusCode switch
            {
                StatusCode.InvalidArgument or StatusCode.NotFound => ExitCode.BadInput,
                StatusCode.Unavailable => ExitCode.NoDaemon,
                _ => ExitCode.Failed,
            };
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Failed;
        }
    }
}
