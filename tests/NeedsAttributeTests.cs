namespace Hypercalls.Tests;

public class NeedsAttributeTests
{
    [Fact]
    public void Runs_what_has_its_tools() => Assert.Null(new NeedsFactAttribute("sh", "/bin/sh").Skip);

    [Fact]
    public void Skips_what_lacks_a_tool_and_names_it()
    {
        const string reason = "This machine lacks no-such-tool and /no/such/file: apt-get install no-such-tool the package of /no/such/file";
        Assert.Equal(reason, new NeedsFactAttribute("sh", "no-such-tool", "/no/such/file").Skip);
        Assert.Equal(reason, new NeedsTheoryAttribute("no-such-tool", "/no/such/file").Skip);
    }
}
