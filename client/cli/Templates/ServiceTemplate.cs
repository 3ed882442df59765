using System.IO.Compression;
using System.Security;
using System.Text.RegularExpressions;

namespace Hypercalls.Cli.Templates;

/// <summary>What `dotnet new hypercall-service` writes, from the same package and under the same names.</summary>
internal static partial class ServiceTemplate
{
    private const string Content = "content/hypercall-service/";
    private const string Configuration = Content + ".template.config/";

    /// <summary>Writes the files of a service into a folder, which is made where it is missing.</summary>
    /// <param name="feed">Where the template is, and where the service finds what it is built on.</param>
    /// <param name="name">Of the service: a C# identifier.</param>
    /// <param name="folder">To write into.</param>
    public static void Write(PackageFeed feed, string name, string folder)
    {
        var root = Directory.CreateDirectory(folder).FullName;
        using var package = ZipFile.OpenRead(feed.Template);
        foreach (var entry in package.Entries.Where(entry => entry.FullName.StartsWith(Content, StringComparison.Ordinal) && !entry.FullName.StartsWith(Configuration, StringComparison.Ordinal)))
        {
            var path = Path.GetFullPath(Path.Combine(root, Named(Uri.UnescapeDataString(entry.FullName[Content.Length..]), name, feed)));
            if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                throw new CliException($"{feed.Template} is damaged: {entry.FullName} leads out of its folder. Make it again.");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var content = new StreamReader(entry.Open());
            File.WriteAllText(path, Named(content.ReadToEnd(), name, feed));
        }
    }

    // In one pass: a name may hold the template's own.
    private static string Named(string text, string name, PackageFeed feed) => Placeholder().Replace(text, placeholder => placeholder.Value switch
    {
        "Acme" => name,
        "ACME" => name.ToUpperInvariant(),
        "acme" => name.ToLowerInvariant(),
        "HYPERCALLS_FEED" => SecurityElement.Escape(feed.Folder),
        _ => feed.Version,
    });

    [GeneratedRegex("Acme|ACME|acme|HYPERCALLS_FEED|HYPERCALLS_VERSION")]
    private static partial Regex Placeholder();
}
