using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Client.Kernel;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls register: who answers which calls, all of them.</summary>
internal static class RegisterCommand
{
    private const uint SveHint = 0x8001_0000;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };

    public static Command Create()
    {
        var conduit = new Option<string?>("--conduit") { Description = "Calls by this one only: smc or hvc." };
        conduit.AcceptOnlyFromAmong("smc", "hvc");
        var immediate = new Option<string?>("--imm") { Description = "Calls with this immediate only, 16 bits.", HelpName = "n" };
        var isAArch32 = new Option<bool>("--a32") { Description = "Calls from AArch32 state only." };
        var isAArch64 = new Option<bool>("--a64") { Description = "Calls from AArch64 state only." };
        var filter = new Option<bool>("--filter") { Description = "Instead: the ranges that a KVM host must forward (KVM_ARM_VM_SMCCC_FILTER) so that the services see their calls." };
        var json = new Option<bool>("--json") { Description = "One JSON object per range." };
        var command = new Command("register", "List who answers which calls: the kernel, a service, nobody. Complete over w0 and every way to call.")
        {
            conduit, isAArch64, isAArch32, immediate, filter, json,
        };
        var daemon = DaemonAddress.AddTo(command);
        var target = RegisterTarget.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            var query = target.Query(parsed);
            var only = parsed.GetValue(immediate) is { } text ? (ushort?)FunctionArgument.Number(text, 16, "an immediate") : null;
            using var channel = daemon.Connect(parsed);
            var invoker = channel.CreateCallInvoker();
            if (parsed.GetValue(filter))
            {
                if (target.IsGiven(parsed) || only is not null || parsed.GetValue(conduit) is not null || parsed.GetValue(isAArch32) || parsed.GetValue(isAArch64))
                {
                    throw new CliException("--filter takes no machine, profile or way to call: a filter is one for all, and its ranges follow from the services alone.", ExitCode.BadInput);
                }

                await ShowFilterAsync(invoker, parsed.GetValue(json), cancelled);
                return ExitCode.Done;
            }

            var services = await new Operator.OperatorClient(invoker).ListServicesAsync(new(), cancellationToken: cancelled);
            var callers = RegisterCaller.All(services.Services.SelectMany(service => service.Claims))
                .Where(caller => parsed.GetValue(conduit) is not { } name || caller.Conduit == CallCommand.ConduitOf(name))
                .Where(caller => parsed.GetValue(isAArch32) == parsed.GetValue(isAArch64) || caller.State == (parsed.GetValue(isAArch32) ? ExecutionState.Aarch32 : ExecutionState.Aarch64));
            var lists = new List<(RegisterCaller Caller, IReadOnlyList<RegisterRange> Ranges)>();
            foreach (var caller in only is null ? callers : callers.Select(caller => caller with { Immediate = only.Value, StandsForOthers = false }).Distinct())
            {
                lists.Add((caller, await ListAsync(new(invoker), query, caller, cancelled)));
            }

            Show(lists, parsed.GetValue(json));
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task<IReadOnlyList<RegisterRange>> ListAsync(KernelRegister.KernelRegisterClient register, RegisterQuery target, RegisterCaller caller, CancellationToken cancelled)
    {
        var query = target.Clone();
        (query.Conduit, query.ExecutionState, query.Imm) = (caller.Conduit, caller.State, caller.Immediate);
        using var list = register.List(query, cancellationToken: cancelled);
        var ranges = new List<RegisterRange>();
        while (await list.ResponseStream.MoveNext(cancelled))
        {
            ranges.Add(list.ResponseStream.Current);
        }

        return ranges;
    }

    /// <summary>Every function of services that insist, whatever a kernel keeps of it today.</summary>
    private static async Task ShowFilterAsync(CallInvoker invoker, bool asJson, CancellationToken cancelled)
    {
        var loaded = await new Operator.OperatorClient(invoker).ListServicesAsync(new(), cancellationToken: cancelled);
        Service[] insisting = [.. loaded.Services.Where(service => service.Failure.Length == 0 && !service.YieldsToKernel)];
        // A filter looks at w0 alone, and an immediate comes with any.
        string[] claiming = [.. insisting.Where(service => service.Claims.Any(claim => claim.Conduit == Conduit.Hvc)).Select(service => service.Name)];
        var served = await ListAsync(new(invoker), new(), new(Conduit.Smc, ExecutionState.Aarch64, 0, StandsForOthers: false), cancelled);
        // A kernel that can filter says SMCCC 1.1, which has no hint: no guest sets it.
        var ranges = claiming.Length > 0
            ? ForwardRanges.All
            : ForwardRanges.Of(served
                .Where(range => insisting.Any(service => service.Name == range.Service) && (range.First & SveHint) != SveHint)
                .Select(range => (range.First, range.Last)));
        ShowFilter(ranges, asJson);
        if (claiming.Length > 0 && !asJson)
        {
            Console.WriteLine(Printable.Line($"All that a kernel can forward, because immediates of HVC come with any w0: {string.Join(", ", claiming)} takes some."));
        }
    }

    private static void ShowFilter(IReadOnlyList<FilterRange> ranges, bool asJson)
    {
        if (asJson)
        {
            foreach (var range in ranges)
            {
                Console.WriteLine(JsonSerializer.Serialize(range, s_json));
            }

            return;
        }

        var table = Terminal.Table("first", "last", "functions");
        foreach (var range in ranges)
        {
            table.Row(CallLine.Id(range.First), CallLine.Id(range.Last), $"{range.Last - range.First + 1ul}");
        }

        Terminal.Out.Write(table);
    }

    private static void Show(IReadOnlyList<(RegisterCaller Caller, IReadOnlyList<RegisterRange> Ranges)> lists, bool asJson)
    {
        if (asJson)
        {
            foreach (var (caller, ranges) in lists)
            {
                foreach (var range in ranges)
                {
                    Console.WriteLine(JsonSerializer.Serialize(
                        new { caller.Conduit, ExecutionState = caller.State, Immediate = caller.ImmediateText, range.First, range.Last, range.AnsweredBy, range.Service, range.Function, range.Reason, range.Shadowed }, s_json));
                }
            }

            return;
        }

        // Ways to call that make no difference share a table.
        foreach (var (index, same) in lists.GroupBy(list => string.Join('\n', list.Ranges)).Index())
        {
            if (index > 0)
            {
                Console.WriteLine();
            }

            Console.WriteLine(string.Join("; ", same.Select(list => list.Caller)));
            var table = Terminal.Table("first", "last", "function", "answered by");
            foreach (var range in same.First().Ranges)
            {
                table.Row(CallLine.Id(range.First), CallLine.Id(range.Last), range.Function, AnswererText.Of(range.AnsweredBy, range.Service, range.Reason, range.Shadowed));
            }

            Terminal.Out.Write(table);
        }
    }
}
