using Hypercalls.Cli.Output;

namespace Hypercalls.Tests.Client.Cli;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("CPU_ON(0x1) = SUCCESS  9 µs", "CPU_ON(0x1) = SUCCESS  9 µs")]
    [InlineData("a\u001b]52;c;text\u0007b", "a\uFFFD]52;c;text\uFFFDb")]
    [InlineData("two\nlines", "two\uFFFDlines")]
    [InlineData("\u202Ebackwards", "\uFFFDbackwards")]
    public void Nothing_in_it_steers_a_terminal(string text, string line) => Assert.Equal(line, Printable.Line(text));
}
