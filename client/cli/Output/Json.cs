using Google.Protobuf;

namespace Hypercalls.Cli.Output;

/// <summary>Messages as JSON, one document per line or per command.</summary>
internal static class Json
{
    private static readonly JsonFormatter Line = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    public static void Write(IMessage message) => Console.Out.WriteLine(Line.Format(message));
}
