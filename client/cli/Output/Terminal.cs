using Spectre.Console;

namespace Hypercalls.Cli.Output;

/// <summary>Tables and colour: colour only on a terminal that wants it, full width everywhere else.</summary>
internal static class Terminal
{
    private const int UnlimitedWidth = 4096;

    public static IAnsiConsole Out { get; } = Create(Console.Out, Console.IsOutputRedirected);

    public static Table Table(params string[] heads)
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.Ascii : TableBorder.Rounded };
        foreach (var head in heads)
        {
            table.AddColumn(new TableColumn(Markup.Escape(head)).NoWrap());
        }

        return table;
    }

    public static void Row(this Table table, params string[] cells) => table.AddRow([.. cells.Select(cell => new Text(Printable.Line(cell)))]);

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var plain = redirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        var console = AnsiConsole.Create(new()
        {
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        if (redirected)
        {
            console.Profile.Width = UnlimitedWidth;
        }

        return console;
    }
}
