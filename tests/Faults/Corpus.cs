namespace Hypercalls.Tests.Faults;

/// <summary>Inputs that once broke something, or are known to break such programs: replayed before anything is drawn. A file for each target, an input a line: hexadecimal, then what it is.</summary>
internal static class Corpus
{
    public static IEnumerable<(byte[] Input, string Why)> Of(string target)
    {
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "corpus", $"{target}.txt")))
        {
            var parts = line.Split(' ', 2);
            if (line.Length > 0 && line[0] != '#')
            {
                yield return (Convert.FromHexString(parts[0]), parts[1]);
            }
        }
    }
}
