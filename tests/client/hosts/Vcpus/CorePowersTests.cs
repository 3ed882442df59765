using Hypercalls.Client;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Hosts.Vcpus;

public sealed class CorePowersTests : IMachineEvents
{
    private readonly List<string> _told = [];
    private readonly CorePowers _powers = new(2, "QEMU");

    [Fact]
    public void Nothing_starts_before_every_core_has_come_out_of_reset()
    {
        Assert.True(_powers.TryBoot(1, 1, out var all));
        Assert.False(all);
        Assert.False(_powers.TryStartBootCore(Start(0)));
        Assert.True(_powers.TryBoot(0, 1, out all));
        Assert.True(all);
        Assert.True(_powers.TryStartBootCore(Start(0)));
        Assert.Equal(Start(0), _powers.TakeStart(0));
        Assert.Null(_powers.TakeStart(0));
        Assert.True(_powers.IsOn(0));
        Assert.False(_powers.IsOn(1));
        Assert.Equal(1u, _powers.Boot);
    }

    [Theory]
    [InlineData(1)] // the same once more
    [InlineData(0)] // a boot that is over
    public void A_boot_number_that_cannot_be_is_refused(uint boot)
    {
        Boot(1);
        Assert.False(_powers.TryBoot(0, boot, out _));
    }

    [Fact]
    public void A_core_is_started_once()
    {
        Boot(1);
        Assert.True(_powers.TryPowerOn(1, Start(5)));
        Assert.False(_powers.TryPowerOn(1, Start(6)));
        Assert.Equal(Start(5), _powers.TakeStart(1));
        Assert.False(_powers.TryPowerOn(1, Start(7)));
    }

    [Fact]
    public void A_start_that_overtakes_its_CPU_OFF_waits_for_it()
    {
        Boot(1);
        Run(1);
        _powers.EnterCall(1);
        Assert.True(_powers.TryPowerOn(1, Start(8)));
        Assert.Null(_powers.TakeStart(1));
        _powers.PowerOff(1, 7);
        Assert.Equal(Start(8), _powers.TakeStart(1));
        _powers.Started(1, 8);
        Assert.Equal(["Stopped 101 7", "Started 101 8"], _told);
    }

    [Fact]
    public void A_start_that_waits_in_vain_is_refused()
    {
        Boot(1);
        Run(1);
        _powers.EnterCall(1);
        Assert.True(_powers.TryPowerOn(1, Start(8)));
        _powers.LeaveCall(1);
        Assert.Null(_powers.TakeStart(1));
        Assert.True(_powers.IsOn(1));
        Assert.Equal(["Refused 101 8"], _told);
        Assert.False(_powers.TryPowerOn(1, Start(9)));
    }

    [Fact]
    public void After_a_power_off_or_reset_nothing_is_applied_until_the_next_boot()
    {
        Boot(1);
        Run(0);
        Assert.True(_powers.TryEnd("vCPU 0"));
        Assert.False(_powers.TryEnd(null));
        Assert.True(_powers.IsEnding);
        Assert.False(_powers.TryPowerOn(1, Start(3)));
        _powers.PowerOff(0, 4);
        Assert.True(_powers.IsOn(0));
        Boot(2);
        Assert.False(_powers.IsEnding);
        Assert.False(_powers.IsOn(0));
        Assert.True(_powers.TryPowerOn(1, Start(5)));
        Assert.Equal(["Cold 2 vCPU 0"], _told);
    }

    [Fact]
    public void A_warm_reset_is_told_once_and_the_next_without_a_cause_is_cold()
    {
        Boot(1);
        Run(0);
        Assert.True(_powers.TryEnd("vCPU 0", ResetKind.Warm));
        Assert.False(_powers.TryEnd("vCPU 1"));
        Boot(2);
        Boot(3);
        Assert.Equal(["Warm 2 vCPU 0", "Cold 3 QEMU"], _told);
    }

    [Fact]
    public void A_reset_forgets_starts_and_says_when_nobody_asked_for_it()
    {
        Boot(1);
        Assert.True(_powers.TryPowerOn(1, Start(3)));
        Assert.True(_powers.TryBoot(0, 2, out var all));
        Assert.False(all);
        Assert.Null(_powers.TakeStart(1));
        Assert.True(_powers.TryBoot(1, 2, out all));
        Assert.True(all);
        Assert.Null(_powers.TakeStart(1));
        Assert.Equal(["Cold 2 QEMU"], _told);
    }

    [Fact]
    public void A_reset_before_the_run_is_told_at_its_beginning()
    {
        Assert.True(_powers.TryBoot(0, 3, out _));
        _powers.Report(this, 2, [0x100, 0x101]);
        Assert.Equal(["Cold 3 QEMU"], _told);
    }

    void IMachineEvents.CoreStateChanged(ulong mpidr, CoreChange change, ulong commit) => _told.Add($"{change} {mpidr:x} {commit}");

    void IMachineEvents.ResetHappened(ulong boot, ResetKind kind, string cause) => _told.Add($"{kind} {boot} {cause}");

    private static CoreStart Start(ulong commit) => new(0x4000_0000, 1, default, commit);

    private void Boot(uint boot)
    {
        Assert.True(_powers.TryBoot(0, boot, out _));
        Assert.True(_powers.TryBoot(1, boot, out _));
        if (boot == 1)
        {
            _powers.Report(this, 1, [0x100, 0x101]);
        }
    }

    private void Run(int core)
    {
        Assert.True(_powers.TryPowerOn(core, Start(1)));
        Assert.NotNull(_powers.TakeStart(core));
    }
}
