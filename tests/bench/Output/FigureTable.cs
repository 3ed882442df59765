using Spectre.Console;

namespace Hypercalls.Bench.Output;

/// <summary>The figures for people: colour on a terminal alone.</summary>
internal static class FigureTable
{
    private const int UnlimitedWidth = 4096;

    public static void Write(IReadOnlyList<Figure> figures)
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.Ascii : TableBorder.Rounded };
        table.AddColumn(new TableColumn("what").NoWrap());
        table.AddColumn(new TableColumn("figure").NoWrap().RightAligned());
        table.AddColumn(new TableColumn("limit, from this run").NoWrap().RightAligned());
        table.AddColumn(new TableColumn("aim").NoWrap().RightAligned());
        table.AddColumn(new TableColumn("").NoWrap());
        string? row = null;
        foreach (var figure in figures)
        {
            if (row is not null && row != figure.Row)
            {
                table.AddEmptyRow();
            }

            row = figure.Row;
            table.AddRow(
                new Text(figure.What),
                new Text(figure.Unit.Of(figure.Value)),
                new Text(figure.Limit is { } limit ? $"{figure.Unit.Of(limit.Value)} {limit.What}" : ""),
                new Text(figure.AtMost is { } most ? $"≤ {figure.Unit.Of(most)}" : ""),
                Mark(figure.IsMet));
        }

        Terminal().Write(table);
    }

    private static Text Mark(bool? isMet) => isMet switch
    {
        true => new("✓", new(Color.Green)),
        false => new("✗", new(Color.Red)),
        null => new(""),
    };

    private static IAnsiConsole Terminal()
    {
        var plain = Console.IsOutputRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        var console = AnsiConsole.Create(new()
        {
            Ansi = plain ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(Console.Out),
        });
        if (Console.IsOutputRedirected)
        {
            console.Profile.Width = UnlimitedWidth;
        }

        return console;
    }
}
