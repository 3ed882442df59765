using System.CommandLine;
using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Hosts;

namespace Hypercalls.Cli;

/// <summary>Runs a command; every fault becomes one sentence and an exit code.</summary>
internal static class Invocation
{
    /// <summary>After a signal: QEMU, a private daemon and the terminal must be put in order before this process goes.</summary>
    private static readonly TimeSpan s_endsWithin = TimeSpan.FromSeconds(60);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        // @file stands for calls, not for more of the command line.
        var parsed = root.Parse(args, new() { ResponseFileTokenReplacer = null });
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
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = s_endsWithin });
        }
        catch (CliException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.ExitCode;
        }
        catch (HostException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.IsBadInput ? ExitCode.BadInput : ExitCode.Failed;
        }
        catch (RpcException e)
        {
            Console.Error.WriteLine(e.Status.Detail.Length > 0 ? Printable.Line(e.Status.Detail) : $"The daemon answered {e.StatusCode}.");
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception or System.Net.Sockets.SocketException)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Failed;
        }
    }
}
