using Hypercalls.Cli.Building;

namespace Hypercalls.Tests.Client.Cli;

public sealed class PluginLinksTests
{
    [Fact]
    public void Leaves_no_folder_behind_where_a_link_cannot_be_made()
    {
        var root = Directory.CreateTempSubdirectory("hypercalls-links-");
        try
        {
            var (standard, mark) = (root.CreateSubdirectory("standard").FullName, root.Name);
            // The second name is no file's: its link fails after the first was made.
            Assert.ThrowsAny<IOException>(() => PluginLinks.Create(standard, [(standard, mark), (standard, "no/name")], []));
            Assert.DoesNotContain(Directory.EnumerateDirectories(Path.GetTempPath(), "hypercalls-plugins-*"), folder => Path.Exists(Path.Combine(folder, mark)));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
