using System.Text;
using Grpc.Core;

namespace Hypercalls.Tests.Protos.Grpc;

public class MetadataTests
{
    [Fact]
    public void Finds_the_last_entry_of_a_name_and_all_of_them()
    {
        Metadata metadata = [new("A", "1"), new("b", "2"), new("a", "3"), new("c-bin", [4])];
        Assert.Equal("3", metadata.GetValue("a"));
        Assert.Equal(["1", "3"], metadata.GetAll("a").Select(entry => entry.Value));
        Assert.Equal([4], metadata.GetValueBytes("c-bin"));
        Assert.Equal(Encoding.ASCII.GetBytes("2"), metadata.GetValueBytes("b"));
        Assert.Null(metadata.Get("absent"));
        Assert.Null(metadata.GetValue("absent"));
    }

    [Fact]
    public void Is_a_list()
    {
        var one = new Metadata.Entry("one", "1");
        var two = new Metadata.Entry("two", "2");
        Metadata metadata = [one];
        metadata.Insert(0, two);
        Assert.Equal([two, one], metadata);
        metadata[0] = one;
        Assert.Equal((2, 0, true), (metadata.Count, metadata.IndexOf(one), metadata.Contains(one)));
        metadata.RemoveAt(0);
        Assert.True(metadata.Remove(one));
        Assert.Empty(metadata);
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a b", "x")]
    [InlineData("ä", "x")]
    [InlineData("a:b", "x")]
    [InlineData("a", "ä")]
    [InlineData("a", "line\nbreak")]
    [InlineData("a-bin", "text")]
    public void Refuses_names_and_values_that_no_header_holds(string name, string value) =>
        Assert.Throws<ArgumentException>(() => new Metadata.Entry(name, value));

    [Fact]
    public void Refuses_bytes_under_a_name_for_text() => Assert.Throws<ArgumentException>(() => new Metadata.Entry("a", [1]));
}
