using Google.Protobuf;
using Google.Protobuf.Reflection;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Protos;

/// <summary>The wire is frozen: bytes written by an older build are read, and the same are written.</summary>
public sealed class GoldenBytesTests
{
    private static FileDescriptor Wire => HypercallsReflection.Descriptor;

    private static string Golden => Path.Combine(AppContext.BaseDirectory, "golden.txt");

    [Fact]
    public void Every_message_has_its_golden_bytes()
    {
        var written = Messages().Select(pair => $"{pair.Name} {Convert.ToHexStringLower(pair.Message.ToByteArray())}");
        Assert.Equal(File.ReadAllLines(Golden), written);
    }

    [Fact]
    public void Every_message_comes_back_as_it_went()
    {
        foreach (var (name, message) in Messages())
        {
            var back = message.Descriptor.Parser.ParseFrom(message.ToByteArray());
            Assert.True(message.Equals(back), name);
        }
    }

    [Fact]
    public void A_field_that_this_build_does_not_know_is_ignored_and_kept()
    {
        // Field 1000, varint 1, behind Attention{core: 3, wanted: true}.
        var bytes = Convert.FromHexString("08031001c03e01");
        var attention = Attention.Parser.ParseFrom(bytes);
        Assert.Equal((3ul, true), (attention.Core, attention.Wanted));
        Assert.Equal(bytes, attention.ToByteArray());
    }

    // Written by hand from the encoding rules of protobuf: tag = number << 3 | wire type, varints low group first.
    [Fact]
    public void An_exit_of_CPU_ON_is_what_a_hand_writes()
    {
        var exit = new Exit
        {
            ExitId = 2,
            Boot = 1,
            Previous = new() { ExitId = 1, Outcome = Outcome.Applied },
            Hypercall = new() { Conduit = Conduit.Hvc, Imm = 0, X0 = 0xC400_0003, X1 = 1, X2 = 0x4008_0000, X3 = 7, Pstate = 0x3C5 },
        };
        Assert.Equal(
            "0802" + "1001" + "1a04" + "08011001" // exit_id 2, boot 1, previous {1, APPLIED}
            + "2217" + "0802" + "1000" + "18838080a00c" + "2001" + "288080a08004" + "3007" + "50c507", // hypercall {HVC, imm 0, x0 to x3, pstate}
            Convert.ToHexStringLower(exit.ToByteArray()));
    }

    [Fact]
    public void Its_answer_is_what_a_hand_writes()
    {
        var answer = new Answer
        {
            ExitId = 2,
            Boot = 1,
            Incarnation = 5,
            Commit = 1,
            Values = new(),
            PowerOn = new() { Core = 1, EntryPoint = 0x4008_0000, ContextId = 7, IfRefused = unchecked((ulong)-6) },
        };
        Assert.Equal(
            "0802" + "1001" + "1805" + "2001" + "2a00" // values present and zero
            + "5215" + "0801" + "108080a08004" + "1807" + "20faffffffffffffffff01",
            Convert.ToHexStringLower(answer.ToByteArray()));
    }

    [Fact]
    public void Noise_is_refused_or_read_and_never_worse()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] lines = File.ReadAllLines(Golden);
        for (var round = 0; round < 20_000; round++)
        {
            var line = lines[random.Next(lines.Length)].Split(' ');
            var bytes = Convert.FromHexString(line[1]);
            if (bytes.Length > 0)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                bytes = bytes[..random.Next(bytes.Length + 1)];
            }

            try
            {
                var type = Wire.MessageTypes.Single(one => one.Name == line[0].Split('.')[0]);
                var read = type.Parser.ParseFrom(bytes);
                Assert.True(read.Equals(type.Parser.ParseFrom(read.ToByteArray())), $"seed {seed}, round {round}");
            }
            catch (InvalidProtocolBufferException)
            {
                // Refused.
            }
        }
    }

    private static IEnumerable<(string Name, IMessage Message)> Messages() => Wire.MessageTypes.SelectMany(Filled.Of);
}
