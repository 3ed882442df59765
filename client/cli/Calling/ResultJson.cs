using System.Globalization;
using System.Text.Json;
using Hypercalls.Hosts.Caller;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>Calls and what became of them, as a JSON array; numbers of 64 bits as text, in hexadecimal.</summary>
internal static class ResultJson
{
    /// <summary>An element for each call that was made.</summary>
    public static string Of(IReadOnlyList<NamedCall> calls, IReadOnlyList<CallerResult> results, string? never) =>
        JsonSerializer.Serialize(calls.Take(results.Count + (never is null ? 0 : 1)).Select((call, n) => n < results.Count ? Element(call, results[n], null) : Element(call, null, never)));

    private static object Element(NamedCall call, CallerResult? result, string? never) => new
    {
        function = call.Name,
        id = Hexadecimal(call.Id),
        conduit = call.Conduit == Conduit.Hvc ? "hvc" : "smc",
        imm = call.Script.Immediate,
        arguments = call.Script.Arguments.Select(argument => argument.Text),
        x = result?.X.Select(Hexadecimal),
        memory = result is null ? null : ResultText.Memory(call, result).Select(memory => new
        {
            register = memory.Register,
            address = Hexadecimal(result.Before[memory.Register]),
            bytes = Convert.ToHexStringLower(memory.After.Span),
        }),
        doesNotReturn = never,
    };

    private static string Hexadecimal(ulong value) => string.Create(CultureInfo.InvariantCulture, $"0x{value:x}");
}
