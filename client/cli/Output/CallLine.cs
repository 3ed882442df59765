using System.Globalization;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Output;

/// <summary>A call on one line: core 0  CPU_ON(0x1, 0x40f80000, 0x0) = SUCCESS, power on 0.0.0.1  9 µs.</summary>
internal static class CallLine
{
    public static string Of(CallRecord record, bool withNames, bool withMachine)
    {
        var machine = withMachine ? $"{record.Machine}  " : "";
        var arguments = string.Join(", ", record.Arguments.Select(argument =>
            string.Create(CultureInfo.InvariantCulture, $"{(withNames ? argument.Name + "=" : "")}0x{argument.Value:x}")));
        var immediate = record is { HasImm: true, Imm: not 0 } ? string.Create(CultureInfo.InvariantCulture, $" #0x{record.Imm:x}") : "";
        string[] results = [record.ResultText, record.EffectText];
        var outcome = string.Join(", ", results.Where(result => result.Length > 0));
        var note = (record.Fallback ? "  fell back" : "") + (record.Note.Length > 0 ? $"  ({record.Note})" : "");
        return Printable.Line($"{machine}core {record.CoreNumber}  {Name(record)}{immediate}({arguments}) = {outcome}  {Duration(record.DurationNs)}{note}");
    }

    public static string Name(CallRecord record) => record.Function.Length > 0 ? record.Function : Id(record.Id);

    public static string Id(uint id) => string.Create(CultureInfo.InvariantCulture, $"0x{id >> 16:X4}_{id & 0xFFFF:X4}");

    public static string Duration(double nanoseconds) => nanoseconds switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0} ns"),
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000:0.0} µs"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000:0} µs"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1_000_000:0.0} ms"),
    };
}
