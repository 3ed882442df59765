using System.Buffers.Binary;
using System.Text;

namespace Hypercalls.Tests.Faults;

/// <summary>Requests of gRPC over HTTP/2, byte by byte (RFC 9113; RFC 7541, Literal Header Field never Indexed).</summary>
internal static class Http2Bytes
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Settings = 4;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;

    public static byte[] Preface { get; } = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    /// <summary>What a client begins with.</summary>
    public static byte[] Hello { get; } = [.. Preface, .. Frame(Settings, 0, 0, [])];

    /// <summary>A call with that body, cut into frames that every server takes.</summary>
    public static byte[] Request(int stream, string path, byte[] body)
    {
        const int Longest = 16384;
        byte[] headers =
        [
            .. Field(":method", "POST"), .. Field(":scheme", "http"), .. Field(":path", path), .. Field(":authority", "localhost"),
            .. Field("content-type", "application/grpc"), .. Field("te", "trailers"),
        ];
        List<byte> bytes = [.. Frame(Headers, EndHeaders, stream, headers)];
        for (var at = 0; at + Longest < body.Length; at += Longest)
        {
            bytes.AddRange(Frame(Data, 0, stream, body[at..(at + Longest)]));
        }

        var rest = body.Length == 0 ? 0 : (body.Length - 1) % Longest + 1;
        bytes.AddRange(Frame(Data, EndStream, stream, body[^rest..]));
        return [.. bytes];
    }

    public static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8 | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }

    private static byte[] Field(string name, string value) =>
        [0x10, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];
}
