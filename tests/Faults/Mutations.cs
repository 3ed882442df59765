using System.Buffers.Binary;
using Hypercalls.Tests.Psci;

namespace Hypercalls.Tests.Faults;

/// <summary>Bytes that are almost as they should be.</summary>
internal static class Mutations
{
    private const int FrameHeader = 9;
    private static readonly byte[] s_interesting = [0, 1, 2, 4, 5, 7, 8, 9, 0x0a, 0x1f, 0x20, 0x7f, 0x80, 0xfe, 0xff];

    public static byte[] Random(Dice dice, int length)
    {
        var bytes = new byte[length];
        foreach (ref var one in bytes.AsSpan())
        {
            one = (byte)dice.Next();
        }

        return bytes;
    }

    /// <summary>One to four changes: bits flipped, bytes set, ranges cut, repeated, moved, put in.</summary>
    public static byte[] Mutate(Dice dice, byte[] source)
    {
        List<byte> bytes = [.. source];
        for (var changes = 1 + dice.Below(4); changes > 0; changes--)
        {
            var at = dice.Below(bytes.Count + 1);
            var length = Math.Min(dice.OneIn(3) ? dice.Below(bytes.Count + 1) : dice.Below(8), bytes.Count - at);
            switch (dice.Below(8))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << dice.Below(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = dice.OneOf<byte>(s_interesting);
                    break;
                case 2 when at < bytes.Count:
                    bytes[at] += (byte)(dice.OneIn(2) ? 1 : -1);
                    break;
                case 3:
                    bytes.RemoveRange(at, length);
                    break;
                case 4 when bytes.Count < 1 << 17:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 5:
                    bytes.InsertRange(at, Random(dice, 1 + dice.Below(dice.OneIn(8) ? 4096 : 16)));
                    break;
                case 6:
                    bytes.RemoveRange(at, dice.OneIn(4) ? bytes.Count - at : 0);
                    break;
                default:
                    bytes.AddRange(Random(dice, dice.Below(16)));
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Cuts bytes into frames (RFC 9113, Frame Format); the last may be torn.</summary>
    public static List<byte[]> Frames(ReadOnlySpan<byte> bytes)
    {
        var frames = new List<byte[]>();
        while (bytes.Length >= FrameHeader)
        {
            var length = Math.Min(bytes.Length, FrameHeader + (bytes[0] << 16 | bytes[1] << 8 | bytes[2]));
            frames.Add(bytes[..length].ToArray());
            bytes = bytes[length..];
        }

        return frames;
    }

    /// <summary>The frames of a connection with one to three of them lost, repeated, moved, or changed in length, type, flags, stream or payload.</summary>
    public static byte[] MutateFrames(Dice dice, List<byte[]> source)
    {
        List<byte[]> frames = [.. source.Select(frame => frame.ToArray())];
        for (var changes = 1 + dice.Below(3); changes > 0 && frames.Count > 0; changes--)
        {
            var at = dice.Below(frames.Count);
            var frame = frames[at];
            switch (dice.Below(10))
            {
                case 0:
                    frames.RemoveAt(at);
                    break;
                case 1:
                    frames.Insert(dice.Below(frames.Count), frame.ToArray());
                    break;
                case 2:
                    var other = dice.Below(frames.Count);
                    (frames[at], frames[other]) = (frames[other], frames[at]);
                    break;
                case 3:
                    frame[dice.Below(3)] = dice.OneOf<byte>(s_interesting);
                    break;
                case 4:
                    frame[3] = (byte)dice.Below(dice.OneIn(4) ? 256 : 11);
                    break;
                case 5:
                    frame[4] ^= (byte)(1 << dice.Below(8));
                    break;
                case 6:
                    BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), dice.OneOf(0u, 1u, 2u, 3u, 5u, 7u, 0x7fff_ffffu, 0xffff_ffffu));
                    break;
                case 7:
                    frames.InsertRange(at, Enumerable.Repeat(frame, 1 + dice.Below(200)));
                    break;
                default:
                    frames[at] = WithPayload(frame, Mutate(dice, frame[FrameHeader..]));
                    break;
            }
        }

        return [.. frames.SelectMany(frame => frame)];
    }

    /// <summary>A frame of gRPC that is almost one: flag and length may be anybody's.</summary>
    public static byte[] GrpcFrame(Dice dice, byte[] message)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = dice.OneIn(12) ? (byte)dice.Next() : (byte)0;
        var length = dice.Below(16) switch
        {
            0 => (uint)dice.Next(),
            1 => (uint)message.Length + 1,
            2 => 65537u,
            3 => 0u,
            4 => uint.MaxValue,
            _ => (uint)message.Length,
        };
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length);
        message.CopyTo(frame, 5);
        return frame;
    }

    private static byte[] WithPayload(byte[] frame, byte[] payload)
    {
        byte[] changed = [.. frame[..FrameHeader], .. payload];
        (changed[0], changed[1], changed[2]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length);
        return changed;
    }
}
