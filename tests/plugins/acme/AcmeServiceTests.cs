using System.Security.Cryptography;
using System.Text;
using Hypercalls.Acme;
using Hypercalls.Sdei;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Acme;

/// <summary>What the sdk does for an author, by the service that shows all of it.</summary>
public sealed class AcmeServiceTests
{
    private const uint Extend = 0xC300_0001;
    private const uint ExtendValues = 0xC300_0002;
    private const uint ExtendVectors = 0xC300_0003;
    private const uint Read = 0xC300_0004;
    private const uint Lock = 0x8300_0005;
    private const uint Quote = 0xC300_0006;
    private const ulong Ram = 0x4000_0000;

    private static readonly Answer s_invalid = Answer.Status(-2);

    private readonly TestLog _log = new();
    private readonly TestMachine _machine;

    public AcmeServiceTests() => _machine = new(2, new AcmeService(new(), _log));

    [Fact]
    public void A_measurement_of_guest_memory_goes_into_its_slot()
    {
        _machine.Memory.Write(Ram + 0x1000, "kernel");
        Assert.Equal(Answer.Success, _machine.Call(Extend, 3, Ram + 0x1000, 6));

        var digest = SHA256.HashData([.. new byte[32], .. SHA256.HashData(Encoding.UTF8.GetBytes("kernel"))]);
        Assert.Equal(Words(digest), _machine.Call(Read, 3));
        Assert.Equal(new Slot { Digest = Convert.ToHexStringLower(digest), Count = 1 }, _machine.StateOf<AcmeState>().Slots[3]);
        Assert.Equal(Words(new byte[32]), _machine.Call(Read, 2));
    }

    [Theory]
    [InlineData(8ul, Ram, 1ul)]                         // no such slot
    [InlineData(0ul, Ram, 0ul)]                         // nothing
    [InlineData(0ul, Ram, 0x8001ul)]                    // more than an exit carries
    [InlineData(0ul, Ram - 1, 1ul)]                     // below RAM
    [InlineData(0ul, Ram + 0x4000_0000, 1ul)]           // above it
    [InlineData(0ul, Ram + 0x3FFF_FFFF, 2ul)]           // past its end
    [InlineData(0ul, ulong.MaxValue, 2ul)]              // wraps
    [InlineData(0ul, Ram, ulong.MaxValue)]
    public void Memory_that_is_none_is_a_mistake_of_the_guest(ulong slot, ulong address, ulong size) => Assert.Equal(s_invalid, _machine.Call(Extend, slot, address, size));

    [Fact]
    public void Registers_beyond_x5_and_system_registers_are_measured()
    {
        Assert.Equal(Answer.Success, _machine.Call(ExtendValues, 0, 1, 2, 3, 4, 5, 6, 7, 8));
        Assert.Equal(Extended(new byte[32], Little(1, 2, 3, 4, 5, 6, 7, 8)), _machine.StateOf<AcmeState>().Slots[0].Digest);

        var core = _machine.Core(1) with { System = [new(SystemRegister.VbarElc, 0x4008_0000), new(SystemRegister.SctlrElc, 0x30D0_0800)] };
        Assert.Equal(Answer.Success, core.Call(ExtendVectors, 1));
        Assert.Equal(Extended(new byte[32], Little(0x4008_0000, 0x30D0_0800)), _machine.StateOf<AcmeState>().Slots[1].Digest);
    }

    [Fact]
    public void A_locked_slot_takes_nothing_and_the_operator_reads_of_it()
    {
        Assert.Equal(Answer.Success, _machine.Call(Lock, 2));
        _machine.Memory.Write(Ram, "late");
        Assert.Equal(Answer.Status(-3), _machine.Core(1).Call(Extend, 2, Ram, 4));
        Assert.Equal("LOCKED", _machine.LastResult);
        Assert.Equal((new Slot { IsLocked = true }, 1u), (_machine.StateOf<AcmeState>().Slots[2], _machine.StateOf<AcmeState>().Refused));
        Assert.Equal(
            [new(ServiceLogLevel.Warning, "slot 2 is locked: 4 bytes are kept out", "ACME", "test", _machine.Core(1).Mpidr, "ACME_EXTEND")],
            _log.Entries);

        _machine.Reset();
        Assert.Equal(Answer.Success, _machine.Call(Extend, 2, Ram, 4));
    }

    [Fact]
    public void A_quote_is_made_while_other_cores_call_and_is_written_into_guest_memory()
    {
        _machine.Memory.Write(Ram, new byte[] { 1, 2, 3 });
        _machine.Meanwhile = () => Assert.Equal(Answer.Success, _machine.Core(1).Call(Lock, 7));
        var answer = _machine.Call(Quote, Ram, Ram + 32);
        Assert.Equal(Answer.Success with { Writes = [new(Ram + 32, ValueArray.Of<byte>(_machine.Memory.Read(Ram + 32, 32)))] }, answer);
        Assert.Equal((1u, true), (_machine.StateOf<AcmeState>().Quotes, _machine.StateOf<AcmeState>().Slots[7].IsLocked));

        var quote = _machine.Memory.Read(Ram + 32, 32);
        Assert.NotEqual(new byte[32], quote);
        _machine.Call(Quote, Ram, Ram + 64);
        Assert.Equal(quote, _machine.Memory.Read(Ram + 64, 32));
        _machine.Call(Quote, Ram + 1, Ram + 64);
        Assert.NotEqual(quote, _machine.Memory.Read(Ram + 64, 32));
    }

    [Fact]
    public void Tampering_raises_an_event_of_SDEI_which_a_handler_of_the_guest_gets()
    {
        const uint Event = 0x4000_0001;
        var machine = new TestMachine(1, new AcmeService(new() { TamperEvent = Event }, _log), new SdeiService(new() { Events = [new() { Number = Event, Type = EventType.Private }] }));
        Assert.Equal(0ul, machine.Call(0xC400_0021, Event, Ram + 0x1000, 7, 0, 0).X0); // SDEI_EVENT_REGISTER
        Assert.Equal(0ul, machine.Call(0xC400_0022, Event).X0);                        // SDEI_EVENT_ENABLE
        Assert.Equal(0ul, machine.Call(0xC400_002C).X0);                               // SDEI_PE_UNMASK
        machine.Call(Lock, 0);
        Assert.False(machine.Core(0).WantsAttention);

        Assert.Equal(Answer.Status(-3) with { Raises = [new(Event, machine.Core(0).Mpidr, "SDEI")] }, machine.Call(Extend, 0, Ram, 4));
        Assert.Null(machine.LastNote);
        Assert.True(machine.Core(0).WantsAttention);
        Assert.Equal(Ram + 0x1000, Assert.IsType<Effect.Load>(machine.Core(0).Attend(new() { X = [.. new ulong[31]], Pstate = Pstate.El1h }).Then).Pc);
    }

    [Fact]
    public void Tampering_is_refused_all_the_same_where_nobody_takes_the_event()
    {
        var machine = new TestMachine(new AcmeService(new() { TamperEvent = 1 }, _log));
        machine.Call(Lock, 0);
        Assert.Equal(Answer.Status(-3) with { Raises = [new(1, machine.Core(0).Mpidr, "SDEI")] }, machine.Call(Extend, 0, Ram, 4));
        Assert.Equal("raise 0x1 at core 0.0.0.0 was refused: SDEI takes no events", machine.LastNote);
        Assert.Equal(1u, machine.StateOf<AcmeState>().Refused);
    }

    [Fact]
    public void A_state_of_version_1_becomes_one_of_version_2()
    {
        var digest = new string('a', 64);
        _machine.Restore($$"""{ "Digest": "{{digest}}", "Extended": 3, "Quotes": 4, "Gone": true }""");
        Assert.Equal(
            new AcmeState { Slots = new AcmeState().Slots.With(0, new() { Digest = digest, Count = 3 }), Quotes = 4 },
            _machine.StateOf<AcmeState>());

        var saved = _machine.State;
        Assert.StartsWith("""
            {
              "$version": 2,
            """.ReplaceLineEndings("\n"), saved, StringComparison.Ordinal);
        _machine.Reset();
        _machine.Restore(saved);
        Assert.Equal(saved, _machine.State);
        Assert.Equal(
            "The state is of version 3, and this service knows 2: load the service that saved it, or a later one.",
            Assert.Throws<StateException>(() => _machine.Restore("""{ "$version": 3 }""")).Message);
    }

    [Fact]
    public void People_see_its_slots() => Assert.Equal(
        ["Slots", "Counts"],
        _machine.Tables.Select(table => table.Title));

    private static Answer Words(byte[] digest) => Answer.Success with
    {
        X1 = BitConverter.ToUInt64(digest, 0),
        X2 = BitConverter.ToUInt64(digest, 8),
        X3 = BitConverter.ToUInt64(digest, 16),
        Beyond = [new(4, BitConverter.ToUInt64(digest, 24))],
    };

    private static byte[] Little(params ulong[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static string Extended(byte[] digest, byte[] measured) => Convert.ToHexStringLower(SHA256.HashData([.. digest, .. SHA256.HashData(measured)]));
}
