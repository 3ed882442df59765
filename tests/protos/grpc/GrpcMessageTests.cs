using Hypercalls.Grpc;

namespace Hypercalls.Tests.Protos.Grpc;

public class GrpcMessageTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text, ~!", "plain text, ~!")]
    [InlineData("100%", "100%25")]
    [InlineData("a\nb\tc\0\u007f", "a%0Ab%09c%00%7F")]
    [InlineData("Größe µ", "Gr%C3%B6%C3%9Fe %C2%B5")]
    [InlineData("🙂", "%F0%9F%99%82")]
    [InlineData(" x y ", "%20x y%20")]
    public void Encodes_what_is_not_printable_ASCII(string text, string encoded)
    {
        Assert.Equal(encoded, GrpcMessage.Encode(text));
        Assert.Equal(text, GrpcMessage.Decode(encoded));
    }

    [Fact]
    public void Replaces_half_a_surrogate_pair() => Assert.Equal("a%EF%BF%BDb", GrpcMessage.Encode("a\ud83db"));

    [Theory]
    [InlineData("100%", "100%")]
    [InlineData("%2", "%2")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%+1", "%+1")]
    [InlineData("%c3%B6", "ö")]
    [InlineData("%FF", "\ufffd")]
    [InlineData("ö%41", "öA")]
    public void Keeps_what_is_wrongly_encoded(string encoded, string text) => Assert.Equal(text, GrpcMessage.Decode(encoded));

    [Fact]
    public void Cuts_what_no_header_holds()
    {
        Assert.Equal(new string('x', GrpcMessage.LargestLength), GrpcMessage.Encode(new string('x', GrpcMessage.LargestLength + 1)));

        // Never within a character: 341 of 12 are 4092.
        var emoji = GrpcMessage.Decode(GrpcMessage.Encode(string.Concat(Enumerable.Repeat("🙂", 1000))));
        Assert.Equal(string.Concat(Enumerable.Repeat("🙂", 341)), emoji);
    }
}
