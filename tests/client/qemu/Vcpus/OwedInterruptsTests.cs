using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Vcpus;

namespace Hypercalls.Tests.Client.Qemu.Vcpus;

public sealed class OwedInterruptsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly List<int> _told = [];
    private readonly GuestRam _ram;
    private readonly CorePowers _powers = new(3, "QEMU");
    private readonly OwedInterrupts _owed;

    public OwedInterruptsTests()
    {
        _ram = GuestRam.Create(Path.Combine(_folder, "ram"), 16 << 20);
        _owed = New();
        for (var core = 0; core < 3; core++)
        {
            Assert.True(_powers.TryBoot(core, 1, out _));
        }
    }

    public void Dispose()
    {
        _ram.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Are_told_the_lowest_first_until_an_answer_is_applied()
    {
        Assert.Null(_owed.Next(1));
        _owed.Add(1, 200);
        _owed.Add(1, 27);
        Assert.Equal((27u, null), (_owed.Next(1), _owed.Next(0)));
        Answered(1, 27);
        Assert.Equal(200u, _owed.Next(1));
        // Of an exit that tells of none.
        Answered(1, null);
        Assert.Equal(200u, _owed.Next(1));
        Answered(1, 200);
        Assert.Null(_owed.Next(1));
    }

    [Fact]
    public void Are_found_by_the_host_process_that_takes_over()
    {
        _owed.Add(2, 30);
        Assert.Equal(30u, New().Next(2));
    }

    [Fact]
    public void A_shared_one_may_be_ended_by_any_core_and_a_private_one_by_its_own()
    {
        _owed.Add(0, 27);
        _owed.Add(0, 33);
        Answered(1, null, ended: [27, 33]);
        Assert.Equal(27u, _owed.Next(0));
        Answered(0, null, ended: [27]);
        Assert.Null(_owed.Next(0));
    }

    [Fact]
    public void One_that_is_the_guest_s_again_is_owed_nowhere()
    {
        _owed.Add(0, 27);
        _owed.Add(2, 27);
        _owed.Add(2, 64);
        Answered(1, null, returned: [27, 64]);
        Assert.Equal((null, null), (_owed.Next(0), _owed.Next(2)));
    }

    [Fact]
    public void A_core_that_goes_off_leaves_the_shared_ones_to_one_that_runs()
    {
        Start(2);
        _owed.Add(1, 27);
        _owed.Add(1, 33);
        _owed.Add(1, 100);
        _owed.CoreStopped(1);
        Assert.Equal((null, 33u, null), (_owed.Next(1), _owed.Next(2), _owed.Next(0)));
        Answered(2, 33);
        Assert.Equal(100u, _owed.Next(2));
        Assert.Equal([2], _told);
    }

    [Fact]
    public void Where_none_runs_they_wait_for_its_own_return()
    {
        _owed.Add(1, 27);
        _owed.Add(1, 33);
        _owed.CoreStopped(1);
        Assert.Equal((null, 33u), (_owed.Next(0), _owed.Next(1)));
        Assert.Empty(_told);
        _owed.CoreStarts(1);
        Assert.Equal(33u, _owed.Next(1));
    }

    [Fact]
    public void Or_for_the_first_that_starts()
    {
        _owed.Add(1, 33);
        _owed.CoreStopped(1);
        Start(2);
        _owed.CoreStarts(2);
        Assert.Equal((null, 33u), (_owed.Next(1), _owed.Next(2)));
    }

    [Fact]
    public void A_core_that_starts_leaves_those_of_cores_that_run_to_them()
    {
        Start(1);
        _owed.Add(1, 33);
        Start(2);
        _owed.CoreStarts(2);
        Assert.Equal((33u, null), (_owed.Next(1), _owed.Next(2)));
    }

    [Fact]
    public void A_reset_leaves_none()
    {
        _owed.Add(1, 33);
        _owed.Forget(1);
        Assert.Null(_owed.Next(1));
    }

    [Theory]
    [InlineData(29)] // the secure timer
    [InlineData(40)] // the doorbell
    [InlineData(8)]
    [InlineData(288)]
    public void What_the_guest_forges_is_told_only_where_it_can_be_true(uint intid)
    {
        new VcpuRecords(_ram, 0).Owed.Add(intid);
        Assert.Null(_owed.Next(0));
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(1024u)]
    [InlineData(29u)]
    public void Nor_does_a_forged_exit_lead_out_of_its_set(uint intid)
    {
        var mailbox = new Mailbox(_ram, 0, new());
        mailbox.Tell(intid);
        Assert.Null(mailbox.Interrupt);
        mailbox.Tell(27);
        Assert.Equal(27u, mailbox.Interrupt);
        Assert.ThrowsAny<ArgumentException>(() => _owed.Add(0, Math.Max(intid, 1024)));
    }

    private void Answered(int core, uint? intid, uint[]? ended = null, uint[]? returned = null)
    {
        var mailbox = new Mailbox(_ram, core, new());
        mailbox.PrepareInterrupts(1, ended: ended, returned: returned);
        _owed.Answered(core, intid, mailbox.Ended, mailbox.Returned);
    }

    private void Start(int core)
    {
        Assert.True(_powers.TryPowerOn(core, new(0, 0, default, 1)));
        Assert.NotNull(_powers.TakeStart(core));
    }

    private OwedInterrupts New() => new([.. Enumerable.Range(0, 3).Select(core => new VcpuRecords(_ram, core).Owed)], _powers, _told.Add);
}
