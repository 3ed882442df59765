using System.Buffers.Binary;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Tests.Client.Qemu.Monitor;

/// <summary>What one host process keeps and the next one reads, whenever the first was killed and whatever the guest wrote over it.</summary>
public sealed class VcpuRecordsTests : IDisposable
{
    private const uint Boot = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly GuestRam _ram;
    private readonly VcpuRecords _records;

    public VcpuRecordsTests()
    {
        _ram = GuestRam.Create(Path.Combine(_folder, "ram"), 16 << 20);
        _records = new(_ram, 1);
    }

    public void Dispose()
    {
        _ram.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_decision_is_read_as_it_was_kept()
    {
        Assert.Null(_records.Latest(Boot));
        foreach (var effect in Enum.GetValues<DecidedEffect>())
        {
            var decision = Decided(7 + (uint)effect) with
            {
                Effect = effect,
                Target = 0x100,
                IfRefused = ulong.MaxValue - 5,
                Attend = effect == DecidedEffect.None,
                Start = new(0x4000_0000, 9, new(Exceptions: true, Data: false), 77) { Incarnation = 1234 },
            };
            _records.Keep(decision);
            Assert.Equal(decision, _records.Latest(Boot));
        }
    }

    [Fact]
    public void The_two_places_are_used_in_turn_so_that_a_torn_decision_leaves_the_one_before()
    {
        for (var request = 1u; request <= 6; request++)
        {
            _records.Keep(Decided(request));
            Assert.Equal(Decided(request), _records.Latest(Boot));
            Tear(request);
            Assert.Equal(request == 1 ? null : Decided(request - 1), _records.Latest(Boot));
            _records.Keep(Decided(request));
        }
    }

    [Fact]
    public void Requests_that_wrap_around_are_still_in_order()
    {
        foreach (var request in (uint[])[uint.MaxValue - 1, uint.MaxValue, 0, 1])
        {
            _records.Keep(Decided(request));
            Assert.Equal(Decided(request), _records.Latest(Boot));
        }
    }

    [Fact]
    public void What_was_decided_in_another_boot_is_of_no_account()
    {
        _records.Keep(Decided(5));
        Assert.Null(_records.Latest(Boot + 1));
        Assert.Null(_records.Latest(Boot - 1));
        var next = new Decision(((ulong)(Boot + 1) << 32) | 6, Outcome.FellBack, 0);
        _records.Keep(next);
        Assert.Equal(next, _records.Latest(Boot + 1));
    }

    [Theory]
    [InlineData(MailboxLayout.DecisionOutcome, 0u)]
    [InlineData(MailboxLayout.DecisionOutcome, 3u)]
    [InlineData(MailboxLayout.DecisionOutcome, uint.MaxValue)]
    [InlineData(MailboxLayout.DecisionEffect, 8u)]
    [InlineData(MailboxLayout.DecisionEffect, uint.MaxValue)]
    public void A_decision_that_nobody_can_have_kept_is_none(int offset, uint forged)
    {
        _records.Keep(Decided(5));
        BinaryPrimitives.WriteUInt32LittleEndian(Page(MailboxLayout.Decisions + offset), forged);
        Assert.Null(_records.Latest(Boot));
    }

    [Fact]
    public void Any_bytes_are_read_without_harm()
    {
        var random = new Random(1);
        var records = Page(MailboxLayout.StartExit)[..(MailboxLayout.Decisions + (2 * MailboxLayout.DecisionSize) - MailboxLayout.StartExit)];
        for (var n = 0; n < 10_000; n++)
        {
            random.NextBytes(records);
            var boot = BinaryPrimitives.ReadUInt32LittleEndian(Page(MailboxLayout.Decisions + MailboxLayout.DecisionExit + 4));
            var latest = _records.Latest(boot);
            Assert.True(latest is null || (Enum.IsDefined(latest.Effect) && latest.Outcome is Outcome.Applied or Outcome.FellBack));
            _ = _records.Start;
        }
    }

    [Fact]
    public void A_start_is_read_as_it_was_kept_and_not_at_all_when_it_is_torn()
    {
        Assert.Null(_records.Start);
        BinaryPrimitives.WriteUInt32LittleEndian(Page(MailboxLayout.Req), 41);
        var start = new CoreStart(0x4040_0000, 0x77, new(Exceptions: false, Data: true), 12) { R1 = 1, R2 = 2, Incarnation = 5 };
        _records.Keep(Boot, start);
        Assert.Equal((((ulong)Boot << 32) | 41, start), _records.Start);
        Page(MailboxLayout.StartExit)[..8].Clear();
        Assert.Null(_records.Start);
    }

    [Fact]
    public void A_token_is_whole_or_none()
    {
        var area = new AreaRecords(_ram);
        Assert.True(area.Token.IsEmpty);
        byte[] token = [.. Enumerable.Range(1, 16).Select(n => (byte)n)];
        area.Token = token;
        Assert.Equal(token, area.Token.ToArray());
        area.Token = [.. token, .. token, .. token, .. token];
        Assert.Equal(64, area.Token.Length);
        area.Token = new byte[65];
        Assert.True(area.Token.IsEmpty);
        BinaryPrimitives.WriteUInt32LittleEndian(_ram.Slice(_ram.MailboxArea + MailboxLayout.TokenLength, 4), 65);
        Assert.True(area.Token.IsEmpty);
    }

    private static Decision Decided(uint request) => new(((ulong)Boot << 32) | request, Outcome.Applied, request - 1);

    /// <summary>As a process leaves it that was killed while it kept this one.</summary>
    private void Tear(uint request)
    {
        for (var place = MailboxLayout.Decisions; place < MailboxLayout.Decisions + (2 * MailboxLayout.DecisionSize); place += MailboxLayout.DecisionSize)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(Page(place + MailboxLayout.DecisionExit)) == request)
            {
                Page(place + MailboxLayout.DecisionExit)[..8].Clear();
            }
        }
    }

    private Span<byte> Page(int offset) =>
        _ram.Slice(_ram.MailboxArea + (ulong)(MailboxLayout.Pages + MailboxLayout.PageSize + offset), MailboxLayout.PageSize - offset);
}
