using Grpc.Core;
using Hypercalls.Cli.Building;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>What can be called, with calls to be copied: for whoever gives a service and no calls.</summary>
internal static class FunctionList
{
    private const int MostExamples = 4;

    public static async Task ShowAsync(CallInvoker daemon, PluginLinks links, IReadOnlyList<string> given, CancellationToken cancelled)
    {
        var reply = await new Operator.OperatorClient(daemon).ListServicesAsync(new(), cancellationToken: cancelled);
        Service[] services = [.. reply.Services.Where(service => links.IsGiven(service.Path))];
        var width = services.SelectMany(service => service.Functions).Select(Called).Append("").Max(text => text.Length);
        foreach (var service in services)
        {
            Console.Error.WriteLine(Printable.Line($"{service.Name} {service.Version}"));
            foreach (var function in service.Functions)
            {
                Console.Error.WriteLine(Printable.Line($"  {Called(function).PadRight(width)}  {string.Join(" ", function.Ids.Select(CallLine.Id))}"));
            }
        }

        var examples = services.SelectMany(service => service.Functions).Where(function => !function.NoReturn).Take(MostExamples)
            .Select(function => string.Join(' ', function.Parameters.Select((_, n) => $"{n + 1}").Prepend(function.Name)));
        Console.Error.WriteLine(Printable.Line(
            $"Say which to call: hypercalls run {string.Join(' ', given.Select(service => $"--service {(service.Contains(' ', StringComparison.Ordinal) ? $"'{service}'" : service)}"))} --calls \"{string.Join("; ", examples)}\""));
    }

    private static string Called(Function function) => string.Join(' ', function.Parameters.Prepend(function.Name));
}
