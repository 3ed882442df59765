using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hypercalls.Cli.Output;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls state: what services know of a machine.</summary>
internal static class StateCommand
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static Command Create()
    {
        var service = new Argument<string?>("service") { Description = "Its name; by default all that show tables.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("state", "Show what a service knows of a machine: its tables, or JSON where it has none.") { service };
        return WithAction(command, parsed => parsed.GetValue(service));
    }

    /// <summary>The same for one service, as a command of its own.</summary>
    public static Command CreateFor(string service) =>
        WithAction(new(service.ToLowerInvariant(), $"Show what {service} knows of a machine: the same as `state {service}`."), _ => service);

    private static Command WithAction(Command command, Func<ParseResult, string?> serviceOf)
    {
        var json = new Option<bool>("--json") { Description = "One JSON object per service." };
        command.Add(json);
        var machine = MachineOption.AddTo(command);
        var daemon = DaemonAddress.AddTo(command);
        command.SetAction(async (parsed, cancelled) =>
        {
            using var channel = daemon.Connect(parsed);
            var client = new Operator.OperatorClient(channel.CreateCallInvoker());
            var at = await machine.FindAsync(parsed, client, cancelled);
            if (serviceOf(parsed) is { } service)
            {
                Show(service, await ReadAsync(service), parsed.GetValue(json), isOnly: true);
                return ExitCode.Done;
            }

            List<string> withoutTables = [];
            string[] all = [.. (await client.ListServicesAsync(new(), cancellationToken: cancelled)).Services.Where(one => one.Failure.Length == 0).Select(one => one.Name)];
            foreach (var one in all)
            {
                var state = await ReadAsync(one);
                if (state.Tables.Count > 0)
                {
                    Show(one, state, parsed.GetValue(json), isOnly: false);
                }
                else
                {
                    withoutTables.Add(one);
                }
            }

            if (withoutTables.Count == all.Length && !parsed.GetValue(json))
            {
                Console.WriteLine(Printable.Line($"No service shows tables. `hypercalls state SERVICE` shows JSON, of one of {string.Join(", ", withoutTables)}."));
            }

            return ExitCode.Done;

            async Task<GetStateReply> ReadAsync(string name) => await client.GetStateAsync(new() { Machine = at.Name, Service = name }, cancellationToken: cancelled);
        });
        return command;
    }

    private static void Show(string service, GetStateReply state, bool asJson, bool isOnly)
    {
        if (asJson)
        {
            Console.WriteLine(new JsonObject
            {
                ["service"] = service,
                ["state"] = Parsed(state.Json),
                ["tables"] = new JsonArray([.. state.Tables.Select(Table)]),
            }.ToJsonString());
            return;
        }

        foreach (var table in state.Tables)
        {
            Console.WriteLine(Printable.Line(isOnly ? table.Title : $"{service}: {table.Title}"));
            var shown = Terminal.Table([.. table.Columns.Select(Printable.Line)]);
            foreach (var row in table.Rows)
            {
                shown.Row([.. row.Cells.Take(table.Columns.Count)]);
            }

            Terminal.Out.Write(shown);
        }

        if (state.Tables.Count == 0)
        {
            // Written anew: whatever could steer a terminal is an escape of JSON then.
            Console.WriteLine(Parsed(state.Json)?.ToJsonString(s_indented) ?? "null");
        }
    }

    /// <exception cref="CliException">It is none.</exception>
    private static JsonNode? Parsed(string json)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException e)
        {
            throw new CliException($"The daemon's answer is no JSON: {Printable.Line(e.Message)}");
        }
    }

    private static JsonObject Table(StateTable table) => new()
    {
        ["title"] = table.Title,
        ["columns"] = Strings(table.Columns),
        ["rows"] = new JsonArray([.. table.Rows.Select(row => Strings(row.Cells))]),
    };

    private static JsonArray Strings(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
