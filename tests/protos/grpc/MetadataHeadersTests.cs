using Grpc.Core;
using Hypercalls.Grpc;

namespace Hypercalls.Tests.Protos.Grpc;

public class MetadataHeadersTests
{
    [Theory]
    [InlineData(new byte[0], "")]
    [InlineData(new byte[] { 0 }, "AA")]
    [InlineData(new byte[] { 0, 0xff }, "AP8")]
    [InlineData(new byte[] { 0, 0xff, 0xfe }, "AP/+")]
    public void Carries_bytes_in_base64_without_padding(byte[] bytes, string text)
    {
        Assert.Equal(text, MetadataHeaders.Encode(new Metadata.Entry("x-bin", bytes)));
        var metadata = new Metadata();
        Assert.True(MetadataHeaders.TryAdd(metadata, "x-bin", text));
        Assert.True(MetadataHeaders.TryAdd(metadata, "X-Bin", text.PadRight((text.Length + 3) / 4 * 4, '=')));
        Assert.Equal([bytes, bytes], metadata.GetAll("x-bin").Select(entry => entry.ValueBytes));
    }

    [Fact]
    public void Takes_joined_bytes_apart()
    {
        var metadata = new Metadata();
        Assert.True(MetadataHeaders.TryAdd(metadata, "x-bin", "AA, AP8=,AP/+"));
        Assert.Equal([[0], [0, 0xff], [0, 0xff, 0xfe]], metadata.Select(entry => entry.ValueBytes));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("A")]
    [InlineData("AA=A")]
    [InlineData("AA,*")]
    [InlineData("====")]
    [InlineData("AA AA")]
    [InlineData("é")]
    public void Refuses_bytes_that_are_not_base64(string value) => Assert.False(MetadataHeaders.TryAdd([], "x-bin", value));

    [Theory]
    [InlineData(":path", "/x")]
    [InlineData("content-type", "application/grpc")]
    [InlineData("Content-Type", "application/grpc")]
    [InlineData("te", "trailers")]
    [InlineData("host", "h")]
    [InlineData("grpc-timeout", "1S")]
    [InlineData("grpc-status", "0")]
    [InlineData("grpc-future", "1")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("a!b", "not a name of metadata")]
    [InlineData("", "no name")]
    [InlineData("x", "line\nbreak")]
    [InlineData("x", "ä")]
    public void Passes_over_what_is_no_metadata(string name, string value)
    {
        var metadata = new Metadata();
        Assert.True(MetadataHeaders.TryAdd(metadata, name, value));
        Assert.Empty(metadata);
    }

    [Theory]
    [InlineData("content-type")]
    [InlineData("te")]
    [InlineData("grpc-status")]
    [InlineData("grpc-message")]
    [InlineData("grpc-anything")]
    public void Refuses_to_send_the_names_of_the_protocol(string name) =>
        Assert.Throws<ArgumentException>(() => MetadataHeaders.Encode(new Metadata.Entry(name, "x")));

    [Fact]
    public void Sends_the_details_of_a_status_and_other_extensions() =>
        Assert.Equal("AQ", MetadataHeaders.Encode(new Metadata.Entry("grpc-status-details-bin", [1])));
}
