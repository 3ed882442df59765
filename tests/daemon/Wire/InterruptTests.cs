using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Daemon.Wire;

public sealed class InterruptTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const ulong Handler = 0xC300_0008;
    private const ulong Complete = 0xC300_0005;
    private const ulong Take = 0xC300_0016;
    private const ulong GiveBack = 0xC300_0017;
    private const ulong Woken = 0xC300_0018;
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong CpuSuspend = 0xC400_0001;
    private const ulong SystemSuspend = 0xC400_000E;

    [Fact]
    public async Task Taken_fired_ended_and_given_back()
    {
        await using var host = await AttachAsync(daemon, Offering("interrupts"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(Handler, 1, null, 0x4100_0000));
        var taken = await vcpu.ForwardAsync(Call(Take, 2, Applied(1), 27));
        Assert.Equal(new TakeInterrupt { Intid = 27, IfRefused = unchecked((ulong)-3) }, taken.TakeInterrupt);
        Assert.Equal(0ul, taken.Values.X0);

        var entered = await vcpu.ForwardAsync(Fires(3, Applied(2), 27));
        Assert.Equal(
            new Load { Pc = 0x4100_0000, Pstate = 0x3C5, Registers = { new Register { Index = 0, Value = 1ul << 32 | 27 }, new Register { Index = 1, Value = 0x4200_0000 } } },
            entered.Load);
        Assert.Equal(taken.Commit + 1, entered.Commit);
        Assert.Empty(entered.EndedInterrupts);

        var left = await vcpu.ForwardAsync(Call(Complete, 4, Applied(3)));
        Assert.Equal([27u], left.EndedInterrupts);
        Assert.Equal(0x4200_0000ul, left.Load.Pc);

        Assert.Equal([27u], (await vcpu.ForwardAsync(Call(GiveBack, 5, Applied(4), 27))).ReturnedInterrupts);
        // Of nobody any longer.
        var unheld = await vcpu.ForwardAsync(Fires(6, Applied(5), 27));
        Assert.Equal([27u], unheld.ReturnedInterrupts);
        Assert.Equal(Answer.EffectOneofCase.None, unheld.EffectCase);
    }

    [Fact]
    public async Task One_that_the_host_refused_is_nobody_s()
    {
        await using var host = await AttachAsync(daemon, Offering("refused"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(Take, 1, null, 27));
        await host.SayAsync(new() { FellBack = new() { Core = 0, Boot = 1, ExitId = 1 } });
        Assert.Equal([27u], (await vcpu.ForwardAsync(Fires(2, FellBack(1), 27))).ReturnedInterrupts);
    }

    [Fact]
    public async Task A_trigger_that_is_told_again_is_served_once()
    {
        await using var host = await AttachAsync(daemon, Offering("told again"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(Handler, 1, null, 0x4100_0000));
        await vcpu.ForwardAsync(Call(Take, 2, Applied(1), 27));
        var lost = await vcpu.ForwardAsync(Fires(3, Applied(2), 27));
        var again = await vcpu.ForwardAsync(Fires(4, FellBack(3), 27));
        Assert.Equal((lost.Load, true), (again.Load, lost.Commit < again.Commit));
        Assert.Equal([27u], (await vcpu.ForwardAsync(Call(Complete, 5, Applied(4)))).EndedInterrupts);
        Assert.Equal(Answer.EffectOneofCase.None, (await vcpu.ForwardAsync(Requested(6, Applied(5)))).EffectCase);
    }

    [Fact]
    public async Task It_is_told_before_the_effect_of_a_call_by_hand_leaves()
    {
        await using var host = await AttachAsync(daemon, Offering("both"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(Handler, 1, null, 0x4100_0000));
        await vcpu.ForwardAsync(Call(Take, 2, Applied(1), 27));
        await daemon.Hypercalls.CallAsync(new() { Machine = "both", Apply = true, Name = "CPU_ON", Arguments = { 1, 0x4008_0000, 0 } });
        var entered = await vcpu.ForwardAsync(Fires(3, Applied(2), 27));
        Assert.Equal((Answer.EffectOneofCase.Load, true), (entered.EffectCase, entered.AttendBeforeResume));
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Requested(4, Applied(3)))).PowerOn.Core);
    }

    [Theory]
    [InlineData("TAKE", "take interrupt 27")]
    [InlineData("GIVE_BACK", "return interrupt 27")]
    public async Task A_call_by_hand_touches_none(string function, string effect)
    {
        await using var host = await AttachAsync(daemon, Offering($"by hand {function}"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(PsciVersion, 1));
        var refusal = await Assert.ThrowsAsync<RpcException>(() =>
            daemon.Hypercalls.CallAsync(new() { Machine = $"by hand {function}", Apply = true, Name = function, Arguments = { 27 } }).ResponseAsync);
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.Contains($"The call would {effect} on by hand {function}, which only the guest's own call can; nothing was changed.", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Equal([27u], (await vcpu.ForwardAsync(Fires(2, Applied(1), 27))).ReturnedInterrupts);
    }

    [Fact]
    public async Task Where_a_host_offers_none_a_service_that_takes_one_fails()
    {
        await using var host = await AttachAsync(daemon, Greeting("no interrupts"));
        using var vcpu = await host.OpenAsync(0);
        var answer = await vcpu.ForwardAsync(Call(Take, 1, null, 27));
        Assert.Equal((ulong.MaxValue, Answer.EffectOneofCase.None), (answer.Values.X0, answer.EffectCase));
        Assert.Contains("takes interrupt 27, which the host of no interrupts does not offer", answer.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(15u, 20u)]
    [InlineData(32u, 1020u)]
    [InlineData(40u, 39u)]
    public async Task A_host_offers_shared_and_private_interrupts_alone(uint first, uint last)
    {
        var hello = Greeting($"offers {first}");
        hello.Interrupts.Add(new InterruptRange { First = first, Last = last });
        var refusal = await Assert.ThrowsAsync<RpcException>(() => AttachAsync(daemon, hello));
        Assert.Contains("hello.interrupts", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_core_that_wakes_says_whether_it_has_lost_its_context()
    {
        await using var host = await AttachAsync(daemon, Offering("woken", cores: 1));
        using var vcpu = await host.OpenAsync(0);
        Assert.NotNull((await vcpu.ForwardAsync(Call(CpuSuspend, 1))).Suspend);
        await vcpu.ForwardAsync(Wakes(2, Applied(1)));
        Assert.Equal((1ul, 0ul), await WokenAsync(vcpu, 3, Applied(2)));
        Assert.NotNull((await vcpu.ForwardAsync(Call(CpuSuspend, 4, Applied(3), 0x1_0000, 0x4008_0000))).Suspend.PowerDown);
        await vcpu.ForwardAsync(Wakes(5, Applied(4)));
        Assert.Equal((2ul, 1ul), await WokenAsync(vcpu, 6, Applied(5)));
        Assert.NotNull((await vcpu.ForwardAsync(Call(SystemSuspend, 7, Applied(6), 0x4008_0000))).SystemEvent);
        // The wake exit fell back without arriving.
        Assert.Equal((3ul, 2ul), await WokenAsync(vcpu, 9, FellBack(8, lastApplied: 7)));
        // A power-down that fell back never was.
        await vcpu.ForwardAsync(Call(CpuSuspend, 10, Applied(9), 0x1_0000, 0x4008_0000));
        Assert.Equal((4ul, 2ul), await WokenAsync(vcpu, 11, FellBack(10, lastApplied: 9)));
    }

    [Theory]
    [InlineData(CorePower.Suspended)]
    [InlineData(CorePower.On)] // it has woken meanwhile
    public async Task So_it_does_to_another_host(CorePower power)
    {
        var hello = Offering($"woken under another {power}", cores: 1);
        await using var first = await AttachAsync(daemon, hello);
        using (var vcpu = await first.OpenAsync(0))
        {
            await vcpu.ForwardAsync(Call(CpuSuspend, 1, null, 0x1_0000, 0x4008_0000));
        }

        hello.Token = first.Welcome.Token;
        hello.Cores[0].Power = power;
        await using var second = await AttachAsync(daemon, hello);
        using var again = await second.OpenAsync(0);
        await again.ForwardAsync(Wakes(2, Applied(1)));
        Assert.Equal((1ul, 1ul), await WokenAsync(again, 3, Applied(2)));
    }

    private static async Task<(ulong Woken, ulong Anew)> WokenAsync(Host.Vcpu vcpu, ulong exitId, Previous previous)
    {
        var values = (await vcpu.ForwardAsync(Call(Woken, exitId, previous, 0))).Values;
        return (values.X0, values.X1);
    }

    private static HelloMessage Offering(string name, int cores = 2)
    {
        var hello = Greeting(name, cores);
        hello.Interrupts.Add([new InterruptRange { First = 16, Last = 28 }, new InterruptRange { First = 30, Last = 1019 }]);
        return hello;
    }

    private static Exit Wakes(ulong exitId, Previous previous) => new() { ExitId = exitId, Boot = 1, Previous = previous, Wake = new() { Cause = WakeCause.Interrupt } };

    private static Exit Requested(ulong exitId, Previous previous)
    {
        var exit = Fires(exitId, previous, 0);
        exit.Attention.Reason = AttentionReason.Requested;
        return exit;
    }

    private static Exit Fires(ulong exitId, Previous previous, uint intid) => new()
    {
        ExitId = exitId,
        Boot = 1,
        Previous = previous,
        Attention = new() { Reason = AttentionReason.Interrupt, Intid = intid, Registers = new() { X = { new ulong[31] }, Pc = 0x4200_0000, Pstate = 0x5 } },
    };
}
