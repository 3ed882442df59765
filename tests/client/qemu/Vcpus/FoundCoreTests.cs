using System.Buffers.Binary;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Vcpus;

namespace Hypercalls.Tests.Client.Qemu.Vcpus;

/// <summary>What a host process makes of a core, by the step at which the one before was killed: the grid of client/qemu/README.md.</summary>
public sealed class FoundCoreTests : IDisposable
{
    private const uint Boot = 2;
    private const uint Request = 40;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly GuestRam _ram;
    private readonly Mailbox _mailbox;
    private readonly VcpuRecords _records;

    public FoundCoreTests()
    {
        _ram = GuestRam.Create(Path.Combine(_folder, "ram"), 16 << 20);
        _mailbox = new(_ram, 0, new());
        _records = new(_ram, 0);
        Exit(Request, MailboxLayout.ReasonEl3);
    }

    public void Dispose()
    {
        _ram.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void An_exit_that_nobody_has_decided_is_to_be_forwarded_again()
    {
        _records.Keep(Decided(Request - 1));
        Expect(isOff: false, undone: null, start: null, owed: false);
        Assert.Equal(Decided(Request - 1), Found().Latest);
        Assert.Equal(Request, Found().Unanswered!.Request);
    }

    [Fact]
    public void One_that_is_decided_is_to_be_carried_out()
    {
        _records.Keep(Decided(Request));
        Expect(isOff: false, undone: Decided(Request), start: null, owed: false);
    }

    [Fact]
    public void One_that_is_answered_leaves_nothing_to_do()
    {
        _records.Keep(Decided(Request));
        Set(MailboxLayout.Rsp, Request);
        Expect(isOff: false, undone: null, start: null, owed: false);
        Assert.Null(Found().Unanswered);
        Assert.False(Found().IsSuspended);
        Set(MailboxLayout.Command, MailboxLayout.CommandWait);
        Assert.True(Found().IsSuspended);
        Exit(Request + 1, MailboxLayout.ReasonWake);
        Assert.False(Found().IsSuspended);
    }

    [Fact]
    public void A_core_whose_power_off_is_decided_is_off_until_its_start_is_kept()
    {
        _records.Keep(Decided(Request) with { Effect = DecidedEffect.PowerOff });
        Expect(isOff: true, undone: null, start: null, owed: false);
        _records.Keep(Boot, Start(9));
        Expect(isOff: true, undone: null, Start(9), owed: false);
        Set(MailboxLayout.Rsp, Request);
        Expect(isOff: false, undone: null, start: null, owed: false);
    }

    [Fact]
    public void A_start_that_overtook_a_power_off_waits_at_the_exit()
    {
        _records.Keep(Boot, Start(9));
        Expect(isOff: false, undone: null, Start(9), owed: false);
    }

    [Fact]
    public void The_start_before_is_no_start_at_the_next_exit()
    {
        _records.Keep(Boot, Start(9));
        Set(MailboxLayout.Rsp, Request);
        Exit(Request + 1, MailboxLayout.ReasonEl3);
        _records.Keep(Decided(Request + 1) with { Effect = DecidedEffect.PowerOff });
        Expect(isOff: true, undone: null, start: null, owed: false);
    }

    [Fact]
    public void A_core_at_its_BOOT_exit_is_off_and_fresh_until_its_start_is_kept()
    {
        Exit(Request, MailboxLayout.ReasonBoot);
        Expect(isOff: true, undone: null, start: null, owed: false);
        Assert.True(Found().IsFresh);
        _records.Keep(Boot, Start(0));
        Assert.False(Found().IsFresh);
    }

    [Fact]
    public void What_was_kept_in_the_boot_before_is_of_no_account()
    {
        _records.Keep(new Decision(((ulong)(Boot - 1) << 32) | Request, Outcome.Applied, 0) { Effect = DecidedEffect.PowerOff });
        _records.Keep(Boot - 1, Start(9));
        Expect(isOff: false, undone: null, start: null, owed: false);
        Assert.Null(Found().Latest);
    }

    [Theory]
    [InlineData(MailboxLayout.ReasonKick, 0, true)]
    [InlineData(MailboxLayout.ReasonWake, MailboxLayout.CauseKick, true)]
    [InlineData(MailboxLayout.ReasonWake, MailboxLayout.CauseInterrupt, false)]
    [InlineData(MailboxLayout.ReasonEl2, 0, false)]
    public void An_exit_that_the_host_caused_is_forwarded_whether_or_not_attention_is_still_wanted(uint reason, uint cause, bool owed)
    {
        Exit(Request, reason);
        Set(MailboxLayout.Cause, cause);
        Expect(isOff: false, undone: null, start: null, owed);
    }

    [Fact]
    public void Attention_that_was_owed_or_asked_for_still_is()
    {
        _records.Keep(Decided(Request) with { Attend = true });
        Set(MailboxLayout.Rsp, Request);
        Expect(isOff: false, undone: null, start: null, owed: true);
        Exit(Request + 1, MailboxLayout.ReasonEl3);
        Expect(isOff: false, undone: null, start: null, owed: false);
        Set(MailboxLayout.Kick, 1);
        Expect(isOff: false, undone: null, start: null, owed: true);
    }

    [Theory]
    [InlineData(MailboxLayout.Sequence, Request + 1)] // an exit is being written
    [InlineData(MailboxLayout.Boot, Boot - 1)] // on its way out of reset
    public void A_core_that_cannot_be_judged_yet_is_not(int offset, uint value)
    {
        Set(offset, value);
        Assert.Null(FoundCore.Of(_mailbox, _records, Boot));
    }

    [Fact]
    public void Before_the_first_boot_there_is_nothing()
    {
        Set(MailboxLayout.Boot, 0);
        Assert.Null(FoundCore.Of(_mailbox, _records, 0));
    }

    [Fact]
    public void Any_bytes_of_a_guest_are_looked_at_without_harm()
    {
        var random = new Random(2);
        var page = _ram.Slice(_ram.MailboxArea + MailboxLayout.Pages, MailboxLayout.PageSize);
        for (var n = 0; n < 10_000; n++)
        {
            random.NextBytes(page);
            // As a guest would that wants it to be looked at further.
            Exit(Request, (uint)random.Next(8));
            Set(MailboxLayout.Decisions + MailboxLayout.DecisionExit + 4, Boot);
            Set(MailboxLayout.Decisions + MailboxLayout.DecisionOutcome, 1);
            Set(MailboxLayout.Decisions + MailboxLayout.DecisionEffect, (uint)random.Next(7));
            Assert.NotNull(FoundCore.Of(_mailbox, _records, Boot));
        }
    }

    private static CoreStart Start(ulong commit) => new(0x4040_0000, 1, default, commit) { Incarnation = 8 };

    private static Decision Decided(uint request) => new(((ulong)Boot << 32) | request, Outcome.Applied, ((ulong)Boot << 32) | request);

    private FoundCore Found() => FoundCore.Of(_mailbox, _records, Boot)!;

    private void Expect(bool isOff, Decision? undone, CoreStart? start, bool owed)
    {
        var found = Found();
        Assert.Equal((isOff, undone, start, owed), (found.IsOff, found.Undone, found.Start, found.AttentionOwed));
    }

    private void Exit(uint request, uint reason)
    {
        Set(MailboxLayout.Boot, Boot);
        Set(MailboxLayout.Reason, reason);
        Set(MailboxLayout.Sequence, request);
        Set(MailboxLayout.Req, request);
    }

    private void Set(int offset, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(_ram.Slice(_ram.MailboxArea + (ulong)(MailboxLayout.Pages + offset), 4), value);
}
