using System.Globalization;
using System.Text;
using Hypercalls.Cli;
using Hypercalls.Cli.Calling;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Cli;

public sealed class CallScriptTests
{
    [Theory]
    [InlineData("CPU_ON", "CPU_ON")]
    [InlineData("0xC2000001 1 2", "0xC2000001 1 2")]
    [InlineData("  A\t1 ;; B ;\n\n C", "A 1|B|C")]
    [InlineData("A 0x4000_0000 1_000 0XfF", "A 40000000 3e8 ff")]
    [InlineData("A -1 -0x8000_0000_0000_0000 18446744073709551615", "A ffffffffffffffff 8000000000000000 ffffffffffffffff")]
    [InlineData("smc A; HVC B;hvc#0x10 C 1; smc#65535 0x1", "smc#0 A|hvc#0 B|hvc#16 C 1|smc#65535 0x1")]
    [InlineData("# a remark; A\nB 1 # another 'one\n#C", "B 1")]
    [InlineData("A 'x' 2", "A {7800} 2")]
    [InlineData("A 'a;b # c' ''; B", "A {613b622023206300} {00}|B")]
    [InlineData(@"A 'it\'s \\\n'", @"A {69742773205c0a00}")]
    [InlineData("A 'ü'", "A {c3bc00}")]
    [InlineData("A [3] [0x2]", "A {000000} {0000}")]
    [InlineData("A 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "A 1 2 3 4 5 6 7 8 9 a b c d e f 10 11")]
    [InlineData("A\r\nB\r\n", "A|B")]
    public void Reads(string text, string calls) => Assert.Equal(calls.Split('|'), CallScript.Parse(text).Select(Text));

    [Theory]
    [InlineData("", "--calls: there is no call in it.")]
    [InlineData(" ; # A", "--calls: there is no call in it.")]
    [InlineData("A one", "--calls: call 1, line 1, column 3: one is not an argument")]
    [InlineData("A;B\n  C 1 0x", "--calls: call 3, line 2, column 7: 0x is not an argument")]
    [InlineData("A 0x1_0000_0000_0000_0000", "--calls: call 1, line 1, column 3: 0x1_0000_0000_0000_0000 is not an argument")]
    [InlineData("A -0x8000_0000_0000_0001", "--calls: call 1, line 1, column 3: -0x8000_0000_0000_0001 is less than 64 bits can hold.")]
    [InlineData("A -", "--calls: call 1, line 1, column 3: - is not an argument.")]
    [InlineData("A 'x", "--calls: call 1, line 1, column 3: the text has no end")]
    [InlineData("A 'x'y", "--calls: call 1, line 1, column 6: behind a text stands a blank.")]
    [InlineData(@"A 'x\y'", @"--calls: call 1, line 1, column 5: behind \ stands \, ' or n.")]
    [InlineData(@"A 'x\", @"--calls: call 1, line 1, column 5: behind \ stands \, ' or n.")]
    [InlineData("A [4", "--calls: call 1, line 1, column 3: [4 has no end")]
    [InlineData("A [0]", "--calls: call 1, line 1, column 3: [0]: a buffer has 1 to 65536 bytes.")]
    [InlineData("A [65537]", "--calls: call 1, line 1, column 3: [65537]: a buffer has 1 to 65536 bytes.")]
    [InlineData("A []", "--calls: call 1, line 1, column 3: [] is not a length.")]
    [InlineData("A; 'x'", "--calls: call 2, line 1, column 4: 'x' is no function: give an ID or a name.")]
    [InlineData("svc#1 A", "--calls: call 1, line 1, column 1: svc#1 is no function: give an ID or a name.")]
    [InlineData("smc", "--calls: call 1, line 1, column 4: behind smc stands the call")]
    [InlineData("hvc #1 A", "--calls: call 1, line 1, column 9: behind hvc stands the call")]
    [InlineData("hvc# A", "--calls: call 1, line 1, column 1: hvc# is not an immediate.")]
    [InlineData("hvc#0x10000 A", "--calls: call 1, line 1, column 1: 0x10000 is wider than the 16 bits of an immediate.")]
    [InlineData("A 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18", "--calls: call 1, line 1, column 45: a call takes 17 arguments, x1 to x17.")]
    public void Says_which_call_is_wrong_and_where(string text, string sentence)
    {
        var fault = Assert.Throws<CliException>(() => CallScript.Parse(text));
        Assert.StartsWith(sentence, fault.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.BadInput, fault.ExitCode);
    }

    private static string Text(ScriptedCall call)
    {
        var text = new StringBuilder();
        if (call.Conduit != Conduit.Unspecified)
        {
            text.Append(CultureInfo.InvariantCulture, $"{(call.Conduit == Conduit.Smc ? "smc" : "hvc")}#{call.Immediate} ");
        }

        text.Append(call.Function);
        foreach (var argument in call.Arguments)
        {
            text.Append(' ').Append(argument.Value.Memory is { } memory ? $"{{{Convert.ToHexStringLower(memory.Span)}}}" : argument.Value.Value.ToString("x", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
