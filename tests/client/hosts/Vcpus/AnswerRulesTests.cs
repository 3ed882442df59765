using Google.Protobuf;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu;

namespace Hypercalls.Tests.Client.Hosts.Vcpus;

public sealed class AnswerRulesTests : IDisposable
{
    private const ulong Top = 0x4000_0000 + (16 << 20);

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly GuestRam _ram;

    public AnswerRulesTests() => _ram = GuestRam.Create(Path.Combine(_folder, "ram"), 16 << 20);

    public static TheoryData<string, Answer> Refused => new()
    {
        { "results is absent", new() },
        { "results.masked is not one value for each bit of x0 to x17", new() { Masked = new() { Mask = 1 << 18, Values = { 1 } } } },
        { "results.masked is not one value for each bit of x0 to x17", new() { Masked = new() { Mask = 3, Values = { 1 } } } },
        { "results.masked is not one value for each bit of x0 to x17", new() { Masked = new() { Mask = 0, Values = { 1 } } } },
        { "memory_writes has 2 bytes at 0x3fffffff, which is not guest memory", With(0x3fff_ffff, 2) },
        { "memory_writes has 1 bytes at 0x40e00000, which is not guest memory", With(Top - (2 << 20), 1) }, // the mailboxes
        { "memory_writes has 4 bytes at 0x40dffffd, which is not guest memory", With(Top - (2 << 20) - 3, 4) },
        { "memory_writes has 1 bytes at 0xffffffffffffffff, which is not guest memory", With(ulong.MaxValue, 1) },
        { "it takes interrupt 29, which this host does not offer", None(answer => answer.TakeInterrupt = new() { Intid = 29 }) }, // the secure timer
        { "it takes interrupt 0, which this host does not offer", None(answer => answer.TakeInterrupt = new()) },
        { "it ends or returns interrupt 29, which this host does not offer", None(answer => answer.EndedInterrupts.Add(29)) }, // the secure timer
        { "it ends or returns interrupt 40, which this host does not offer", None(answer => answer.ReturnedInterrupts.Add(40)) }, // the doorbell
        { "it ends or returns interrupt 8, which this host does not offer", None(answer => answer.EndedInterrupts.Add(8)) },
        { "it ends or returns interrupt 288, which this host does not offer", None(answer => answer.ReturnedInterrupts.Add(288)) },
        { "this host offers no system_event.type Wakeup", None(answer => answer.SystemEvent = new() { Type = SystemEventType.Wakeup }) },
        { "system_event.data of a suspend is not entry point and context ID", None(answer => answer.SystemEvent = new() { Type = SystemEventType.Suspend }) },
        { "system_event.data of a suspend is not entry point and context ID", None(answer => answer.SystemEvent = new() { Type = SystemEventType.Suspend, Data = { 1 } }) },
        { "system_event.data of a suspend is not entry point and context ID", None(answer => answer.SystemEvent = new() { Type = SystemEventType.Suspend, Data = { 1, 2, 3 } }) },
        { "this host offers no system_event.type Unspecified", None(answer => answer.SystemEvent = new()) },
        { "this host offers no system_event.type 99", None(answer => answer.SystemEvent = new() { Type = (SystemEventType)99 }) },
        { "system_event.data is too long", None(answer => answer.SystemEvent = new() { Type = SystemEventType.Reset, Data = { new ulong[17] } }) },
        { "load.registers has x31", None(answer => answer.Load = new() { Registers = { new Register { Index = 31 } } }) },
        { "load.system has register Unspecified", None(answer => answer.Load = new() { System = { new SystemRegisterValue() } }) },
        { "load.system has register 7", None(answer => answer.Load = new() { System = { new SystemRegisterValue { Register = (SystemRegister)7 } } }) },
        { "load.pstate 0x3c9 is no state of a guest at EL1", None(answer => answer.Load = new() { Pstate = 0x3c9 }) }, // EL2h
        { "load.pstate 0x3cd is no state of a guest at EL1", None(answer => answer.Load = new() { Pstate = 0x3cd }) }, // EL3h
        { "load.pstate 0x1 is no state of a guest at EL1", None(answer => answer.Load = new() { Pstate = 0x1 }) }, // none at all
        { "load.pstate 0x1da is no state of a guest at EL1", None(answer => answer.Load = new() { Pstate = 0x1da }) }, // hyp
        { "load.pstate 0x1d3 is no state of a guest at EL1", None(answer => answer.Load = new() { Pstate = 0x1d3 }) }, // svc: EL1 is AArch64
        { "it is for exit 100000003 of boot 1", None(answer => answer.ExitId++) },
        { "it is for exit 100000002 of boot 2", None(answer => answer.Boot++) },
    };

    public static TheoryData<Answer> Allowed => new()
    {
        None(_ => { }),
        new() { Values = new() },
        new() { Masked = new() { Mask = 0x3_ffff, Values = { new ulong[18] } } },
        With(0x4000_0000, 16),
        With(Top - (2 << 20) - 1, 1),
        None(answer => answer.PowerOn = new()),
        None(answer => answer.PowerOff = new()),
        None(answer => answer.Suspend = new()),
        None(answer => answer.SystemEvent = new() { Type = SystemEventType.Crash, Data = { new ulong[16] } }),
        None(answer => answer.SystemEvent = new() { Type = SystemEventType.Shutdown, Data = { 1 } }), // hibernate
        None(answer => answer.SystemEvent = new() { Type = SystemEventType.Reset, Data = { 1, 0, 0xc0_0c1e } }),
        None(answer => answer.SystemEvent = new() { Type = SystemEventType.Suspend, Data = { 0x4040_0000, 7 } }),
        None(answer => answer.Load = new() { Pstate = 0x3c5, Registers = { new Register { Index = 30 } } }),
        None(answer => answer.Load = new() { Pstate = 0x8000_0010 }), // a 32-bit process was interrupted
        None(answer => answer.TakeInterrupt = new() { Intid = 27 }),
        None(answer => answer.EndedInterrupts.Add([16u, 28, 30, 31, 33, 39, 41, 287])),
        None(answer => answer.ReturnedInterrupts.Add([16u, 28, 30, 31, 33, 39, 41, 287])),
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Names_what_it_refuses(string fault, Answer answer)
    {
        Assert.False(AnswerRules.Allow(Numbered(answer), Exit(), new(), _ram, OfferedInterrupts.Ranges, out var said));
        Assert.Equal(fault, said);
    }

    [Theory]
    [MemberData(nameof(Allowed))]
    public void Allows_the_rest(Answer answer) => Assert.True(AnswerRules.Allow(Numbered(answer), Exit(), new(), _ram, OfferedInterrupts.Ranges, out _));

    [Theory]
    [InlineData(1, true, 0x1d3ul, "")] // svc
    [InlineData(1, true, 0x3c5ul, "load.pstate 0x3c5 is no state of an AArch32 guest at EL1")]
    [InlineData(1, true, 0x1daul, "load.pstate 0x1da is no state of an AArch32 guest at EL1")] // hyp
    [InlineData(2, false, 0x3c9ul, "")] // EL2h
    [InlineData(2, false, 0x3c5ul, "")]
    [InlineData(2, false, 0x3cdul, "load.pstate 0x3cd is no state of a guest at EL2")] // EL3h
    public void A_state_is_one_of_the_guest_s_kind(uint el, bool aarch32, ulong pstate, string fault)
    {
        var answer = Numbered(None(answer => answer.Load = new() { Pstate = pstate }));
        Assert.Equal(fault.Length == 0, AnswerRules.Allow(answer, Exit(), new(el, aarch32), _ram, OfferedInterrupts.Ranges, out var said));
        Assert.Equal(fault, said);
    }

    [Fact]
    public void An_attention_exit_needs_no_results() =>
        Assert.True(AnswerRules.Allow(Numbered(new()), new() { ExitId = 0x1_0000_0002, Boot = 1, Attention = new() }, new(), _ram, OfferedInterrupts.Ranges, out _));

    [Fact]
    public void A_stopped_core_takes_no_interrupt()
    {
        var answer = Numbered(None(answer => answer.TakeInterrupt = new() { Intid = 27 }));
        Assert.False(AnswerRules.Allow(answer, new() { ExitId = 0x1_0000_0002, Boot = 1, Attention = new() }, new(), _ram, OfferedInterrupts.Ranges, out var said));
        Assert.Equal("it takes an interrupt, and answers no call", said);
    }

    public void Dispose()
    {
        _ram.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Exit Exit() => new() { ExitId = 0x1_0000_0002, Boot = 1, Hypercall = new() };

    // A row may have moved the numbers away from the exit's.
    private static Answer Numbered(Answer answer)
    {
        var numbered = answer.Clone();
        numbered.ExitId += 0x1_0000_0002;
        numbered.Boot += 1;
        return numbered;
    }

    private static Answer None(Action<Answer> change)
    {
        var answer = new Answer { None = new() };
        change(answer);
        return answer;
    }

    private static Answer With(ulong address, int length) => new()
    {
        None = new(),
        MemoryWrites = { new MemoryBlock { Base = address, Data = ByteString.CopyFrom(new byte[length]) } },
    };
}
