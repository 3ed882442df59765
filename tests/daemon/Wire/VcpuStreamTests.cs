using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

public sealed class VcpuStreamTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong CpuOn = 0xC400_0003;
    private const ulong CpuOff = 0x8400_0002;
    private const ulong AffinityInfo = 0xC400_0004;
    private const ulong HelloCount = 0x8200_0002;
    private const ulong Throw = 0xC300_0020;

    [Fact]
    public async Task Answers_a_hypercall_with_results_and_effect()
    {
        await using var host = await AttachAsync(daemon, Greeting("answers"));
        using var vcpu = await host.OpenAsync(0);
        var version = await vcpu.ForwardAsync(Call(PsciVersion, 1));
        var on = await vcpu.ForwardAsync(Call(CpuOn, 2, Applied(1), 1, 0x4008_0000, 7));
        Assert.Equal(
            new Answer { ExitId = 1, Boot = 1, Incarnation = host.Welcome.Incarnation, Commit = 1, Values = new() { X0 = 0x1_0003 } },
            version);
        Assert.Equal(
            new Answer
            {
                ExitId = 2,
                Boot = 1,
                Incarnation = host.Welcome.Incarnation,
                Commit = 2,
                Values = new() { X0 = 0 },
                PowerOn = new() { Core = 1, EntryPoint = 0x4008_0000, ContextId = 7, IfRefused = unchecked((ulong)-6) },
            },
            on);
    }

    [Fact]
    public async Task A_repeated_exit_gets_the_committed_answer_and_no_second_service()
    {
        await using var host = await AttachAsync(daemon, Greeting("repeats"));
        using var vcpu = await host.OpenAsync(0);
        var first = await vcpu.ForwardAsync(Call(HelloCount, 1));
        using var again = await host.OpenAsync(0);
        Assert.Equal(first, await again.ForwardAsync(Call(HelloCount, 1)));
        Assert.Equal(2ul, (await again.ForwardAsync(Call(HelloCount, 2, Applied(1)))).Values.X0);
    }

    [Fact]
    public async Task An_unknown_function_is_NOT_SUPPORTED_and_the_stream_goes_on()
    {
        await using var host = await AttachAsync(daemon, Greeting("unknown"));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(new Results { X0 = ulong.MaxValue }, (await vcpu.ForwardAsync(Call(0xC600_1234, 1))).Values);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 2, Applied(1)))).Values.X0);
    }

    [Fact]
    public async Task A_service_that_throws_gives_NOT_SUPPORTED_and_a_report()
    {
        await using var host = await AttachAsync(daemon, Greeting("throws"));
        using var vcpu = await host.OpenAsync(0);
        var answer = await vcpu.ForwardAsync(Call(Throw, 1, x1: 1, x2: 2, x3: 3));
        Assert.Equal(new Results { X0 = ulong.MaxValue }, answer.Values);
        Assert.Contains("TRIALS failed in THROW: InvalidOperationException: This service is broken.", answer.Note, StringComparison.Ordinal);
        var machine = (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(one => one.Name == "throws");
        Assert.Equal(1ul, machine.Failures);
    }

    [Fact]
    public async Task Power_follows_the_reports_of_the_host()
    {
        await using var host = await AttachAsync(daemon, Greeting("power"));
        using var boot = await host.OpenAsync(0);
        Assert.Equal(0ul, (await boot.ForwardAsync(Call(CpuOn, 1, null, 1, 0x4008_0000))).Values.X0);
        Assert.Equal(2ul, (await boot.ForwardAsync(Call(AffinityInfo, 2, Applied(1), 1))).Values.X0); // ON_PENDING
        using var second = await host.OpenAsync(1);
        var off = await second.ForwardAsync(Call(CpuOff, 1));
        Assert.NotNull(off.PowerOff);
        Assert.Equal(Answer.ResultsOneofCase.None_, off.ResultsCase);
        Assert.Equal(0ul, (await boot.ForwardAsync(Call(AffinityInfo, 3, Applied(2), 1))).Values.X0); // ON: not stopped yet
        await host.SayAsync(new() { CoreState = new() { Core = 1, Change = CoreChange.Stopped, Commit = off.Commit } });
        Assert.Equal(1ul, await EventuallyOffAsync(boot, 4));
    }

    [Fact]
    public async Task A_suspended_core_is_ON_and_its_next_exit_says_that_it_woke()
    {
        const uint CpuSuspend = 0xC400_0001, NodeHwState = 0xC400_000D;
        await using var host = await AttachAsync(daemon, Greeting("suspended"));
        using var sleeper = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        Assert.NotNull((await sleeper.ForwardAsync(Call(CpuSuspend, 1))).Suspend);
        Assert.Equal(CorePower.Suspended, await PowerAsync());
        Assert.Equal(0ul, (await other.ForwardAsync(Call(AffinityInfo, 1))).Values.X0); // ON
        Assert.Equal(2ul, (await other.ForwardAsync(Call(NodeHwState, 2, Applied(1)))).Values.X0); // HW_STANDBY
        var wake = new Exit { ExitId = 2, Boot = 1, Previous = Applied(1), Wake = new() { Cause = WakeCause.Interrupt } };
        var answer = await sleeper.ForwardAsync(wake);
        Assert.Equal((Answer.ResultsOneofCase.None_, Answer.EffectOneofCase.None), (answer.ResultsCase, answer.EffectCase));
        Assert.Equal(CorePower.On, await PowerAsync());
        Assert.Equal(0ul, (await other.ForwardAsync(Call(NodeHwState, 3, Applied(2)))).Values.X0); // HW_ON
        // A wake exit that fell back without arriving: the call after it says the same.
        Assert.NotNull((await sleeper.ForwardAsync(Call(CpuSuspend, 3, Applied(2), 0x1_0000, 0x4008_0000, 7))).Suspend.PowerDown);
        Assert.Equal(1ul, (await other.ForwardAsync(Call(NodeHwState, 4, Applied(3)))).Values.X0); // HW_OFF
        await sleeper.ForwardAsync(Call(PsciVersion, 5, FellBack(4, lastApplied: 3)));
        Assert.Equal(CorePower.On, await PowerAsync());
        // A suspend that fell back never was.
        Assert.NotNull((await sleeper.ForwardAsync(Call(CpuSuspend, 6, Applied(5)))).Suspend);
        await sleeper.ForwardAsync(Call(PsciVersion, 7, FellBack(6, lastApplied: 5)));
        Assert.Equal(0ul, (await other.ForwardAsync(Call(NodeHwState, 5, Applied(4)))).Values.X0); // HW_ON

        async Task<CorePower> PowerAsync() =>
            (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == "suspended").Cores[0].Power;
    }

    [Fact]
    public async Task The_report_of_a_start_that_the_core_s_own_exits_have_overtaken_does_not_wake_it()
    {
        const uint CpuSuspend = 0xC400_0001, NodeHwState = 0xC400_000D;
        await using var host = await AttachAsync(daemon, Greeting("overtaken", cores: 3));
        using var boot = await host.OpenAsync(0);
        using var sleeper = await host.OpenAsync(1);
        using var last = await host.OpenAsync(2);
        Assert.Equal(0ul, (await boot.ForwardAsync(Call(CpuOn, 1, null, 1, 0x4008_0000))).Values.X0);
        Assert.NotNull((await sleeper.ForwardAsync(Call(CpuSuspend, 1))).Suspend);
        await last.ForwardAsync(Call(PsciVersion, 1));
        await host.SayAsync(new() { CoreState = new() { Core = 1, Change = CoreChange.Started, Commit = 1 } });
        // Reports arrive in order: after this one the first has.
        await host.SayAsync(new() { CoreState = new() { Core = 2, Change = CoreChange.Stopped } });
        var answer = await boot.ForwardAsync(Call(AffinityInfo, 2, Applied(1), 2));
        var exit = 3ul;
        for (; answer.Values.X0 != 1; exit++)
        {
            Assert.InRange(exit, 0ul, 100_000ul);
            answer = await boot.ForwardAsync(Call(AffinityInfo, exit, Applied(exit - 1), 2));
        }

        Assert.Equal(2ul, (await boot.ForwardAsync(Call(NodeHwState, exit, Applied(exit - 1), 1))).Values.X0); // HW_STANDBY
        Assert.Equal(CorePower.Suspended, (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == "overtaken").Cores[1].Power);
    }

    [Fact]
    public async Task A_CPU_ON_that_fell_back_leaves_the_target_off_and_callable()
    {
        await using var host = await AttachAsync(daemon, Greeting("fallback"));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(CpuOn, 1, null, 1, 0x4008_0000))).Values.X0);
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Call(AffinityInfo, 2, FellBack(1), 1))).Values.X0); // OFF
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(CpuOn, 3, Applied(2), 1, 0x4008_0000))).Values.X0);
    }

    [Fact]
    public async Task Two_fallbacks_in_a_row_undo_the_answer_that_the_guest_never_saw()
    {
        await using var host = await AttachAsync(daemon, Greeting("two fallbacks"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(PsciVersion, 1));
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(CpuOn, 2, Applied(1), 1, 0x4008_0000))).Values.X0);
        // Exit 2 fell back; exit 3, which would have said so, fell back too and never arrived.
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Call(AffinityInfo, 4, FellBack(3, lastApplied: 1), 1))).Values.X0); // OFF
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(CpuOn, 5, Applied(4), 1, 0x4008_0000))).Values.X0);
        // Exit 5 was applied; exit 6 fell back without arriving: nothing is undone.
        Assert.Equal(2ul, (await vcpu.ForwardAsync(Call(AffinityInfo, 7, FellBack(6, lastApplied: 5), 1))).Values.X0); // ON_PENDING
    }

    [Fact]
    public async Task A_second_exit_in_flight_is_refused_and_the_machine_goes_on()
    {
        await using var host = await AttachAsync(daemon, Greeting("second"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(PsciVersion, 1));
        await vcpu.SendAsync(new() { Exit = Call(PsciVersion, 2, Applied(1)) });
        await vcpu.SendAsync(new() { Exit = Call(PsciVersion, 3, Applied(1)) });
        Assert.Equal(2ul, (await vcpu.AnswerAsync()).ExitId);
        Refused(await vcpu.RefusedAsync(), StatusCode.FailedPrecondition, "exit.previous.exit_id: core 0.0.0.0 of second has exit 2 in flight");
        using var again = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await again.ForwardAsync(Call(PsciVersion, 4, Applied(2)))).Values.X0);
    }

    [Fact]
    public async Task An_exit_for_a_core_that_the_machine_does_not_have_is_refused()
    {
        await using var host = await AttachAsync(daemon, Greeting("core"));
        using var vcpu = await host.OpenAsync(9);
        Refused(await vcpu.RefusedAsync(), StatusCode.InvalidArgument, "open.mpidr: core has no core 0.0.0.9.");
    }

    [Fact]
    public async Task An_unknown_token_is_refused()
    {
        await using var host = await AttachAsync(daemon, Greeting("token"));
        host.Welcome.Token = Google.Protobuf.ByteString.CopyFrom(new byte[16]);
        using var vcpu = await host.OpenAsync(0);
        Refused(await vcpu.RefusedAsync(), StatusCode.FailedPrecondition, "open.token: no machine has this token.");
    }

    [Fact]
    public async Task Exits_that_break_the_rules_are_refused_by_the_name_of_their_field()
    {
        await using var host = await AttachAsync(daemon, Greeting("rules"));
        foreach (var (message, sentence) in Broken())
        {
            using var vcpu = await host.OpenAsync(0);
            await vcpu.SendAsync(message);
            Refused(await vcpu.RefusedAsync(), StatusCode.InvalidArgument, sentence);
        }

        using var good = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await good.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
    }

    [Fact]
    public async Task An_oversized_message_is_refused_and_the_daemon_goes_on()
    {
        await using var host = await AttachAsync(daemon, Greeting("oversized"));
        using var vcpu = await host.OpenAsync(0);
        var exit = Call(PsciVersion, 1);
        exit.Hypercall.Registers.Add(Enumerable.Repeat(new Register { Index = 6, Value = ulong.MaxValue }, 8192));
        await vcpu.SendAsync(new() { Exit = exit });
        Assert.Equal(StatusCode.ResourceExhausted, (await vcpu.RefusedAsync()).StatusCode);
        using var good = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await good.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
    }

    [Fact]
    public async Task Attention_is_told_served_and_withdrawn()
    {
        await using var host = await AttachAsync(daemon, Greeting("attention"));
        using var vcpu = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        await other.ForwardAsync(Call(0xC300_0008, 1, null, 0x4100_0000)); // HANDLER
        await vcpu.ForwardAsync(Call(0xC300_0001, 1, null, 1)); // ATTEND core 1
        Assert.Equal(new Attention { Core = 1, Wanted = true }, (await host.HearAsync()).Attention);
        var answer = await other.ForwardAsync(new()
        {
            ExitId = 2,
            Boot = 1,
            Previous = Applied(1),
            Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { Enumerable.Range(0, 31).Select(n => (ulong)n) }, Pc = 0x4200_0000, Pstate = 0x5 } },
        });
        Assert.Equal(Answer.ResultsOneofCase.None_, answer.ResultsCase);
        Assert.Equal(
            new Load { Pc = 0x4100_0000, Pstate = 0x3C5, Registers = { new Register { Index = 0, Value = 1 }, new Register { Index = 1, Value = 0x4200_0000 } } },
            answer.Load);
        Assert.Equal(new Attention { Core = 1, Wanted = false }, (await host.HearAsync()).Attention);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Attention_that_fell_back_is_wanted_again(bool isToldAtOnce)
    {
        await using var host = await AttachAsync(daemon, Greeting($"attention lost {isToldAtOnce}"));
        using var vcpu = await host.OpenAsync(0);
        using var other = await host.OpenAsync(1);
        await other.ForwardAsync(Call(0xC300_0008, 1, null, 0x4100_0000)); // HANDLER
        await vcpu.ForwardAsync(Call(0xC300_0001, 1, null, 1)); // ATTEND core 1
        Assert.True((await host.HearAsync()).Attention.Wanted);
        Exit Stopped(ulong exitId, Previous previous) => new()
        {
            ExitId = exitId,
            Boot = 1,
            Previous = previous,
            Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { Enumerable.Range(0, 31).Select(n => (ulong)n) }, Pc = 0x4200_0000, Pstate = 0x5 } },
        };
        var lost = await other.ForwardAsync(Stopped(2, Applied(1)));
        Assert.False((await host.HearAsync()).Attention.Wanted);
        if (isToldAtOnce)
        {
            await host.SayAsync(new() { FellBack = new() { Core = 1, Boot = 1, ExitId = 2, LastApplied = 1 } });
        }
        else
        {
            await other.ForwardAsync(Call(PsciVersion, 3, FellBack(2)));
        }

        Assert.Equal(new Attention { Core = 1, Wanted = true }, (await host.HearAsync()).Attention);
        var delivered = await other.ForwardAsync(Stopped(4, isToldAtOnce ? FellBack(2) : Applied(3)));
        Assert.Equal(lost.Load, delivered.Load);
    }

    [Fact]
    public async Task The_effect_of_a_call_by_hand_that_fell_back_leaves_with_the_next_attention()
    {
        await using var host = await AttachAsync(daemon, Greeting("by hand again"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(PsciVersion, 1));
        await daemon.Hypercalls.CallAsync(new() { Machine = "by hand again", Apply = true, Name = "CPU_ON", Arguments = { 1, 0x4008_0000, 0 } });
        Assert.True((await host.HearAsync()).Attention.Wanted);
        Exit Stopped(ulong exitId, Previous previous) => new()
        {
            ExitId = exitId,
            Boot = 1,
            Previous = previous,
            Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { Enumerable.Range(0, 31).Select(n => (ulong)n) }, Pc = 0x4200_0000, Pstate = 0x5 } },
        };
        var lost = await vcpu.ForwardAsync(Stopped(2, Applied(1)));
        Assert.Equal(1ul, lost.PowerOn.Core);
        Assert.Equal(lost.PowerOn, (await vcpu.ForwardAsync(Stopped(3, FellBack(2)))).PowerOn);
    }

    [Fact]
    public async Task The_calling_core_is_told_to_attend_before_it_resumes()
    {
        await using var host = await AttachAsync(daemon, Greeting("here"));
        using var vcpu = await host.OpenAsync(0);
        var answer = await vcpu.ForwardAsync(Call(0xC300_0007, 1)); // ATTEND_HERE
        Assert.True(answer.AttendBeforeResume);
        Assert.Equal(new Results { X0 = 7 }, answer.Values);
        // And by the level, in case that answer never arrives.
        Assert.Equal(new Attention { Core = 0, Wanted = true }, (await host.HearAsync()).Attention);
    }

    [Fact]
    public async Task After_a_reset_only_exits_of_the_new_boot_are_served()
    {
        await using var host = await AttachAsync(daemon, Greeting("reset"));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Call(HelloCount, 1))).Values.X0);
        var next = Call(HelloCount, 1);
        next.Boot = 2;
        // The exit may overtake the report, which travels on another stream.
        var early = vcpu.ForwardAsync(next);
        await host.SayAsync(new() { Reset = new() { Boot = 2, Kind = ResetKind.Cold, Cause = "a test" } });
        Assert.Equal(1ul, (await early).Values.X0);
        var old = await vcpu.ForwardAsync(Call(HelloCount, 2, Applied(1)));
        Assert.Equal((Answer.ResultsOneofCase.None_, 1ul), (old.ResultsCase, old.Boot));
    }

    private static async Task<ulong> EventuallyOffAsync(Vcpu vcpu, ulong exitId)
    {
        // The report and the question travel on different streams.
        for (var tries = 0; tries < 1000; tries++)
        {
            var state = (await vcpu.ForwardAsync(Call(AffinityInfo, exitId, Applied(exitId - 1), 1))).Values.X0;
            if (state != 0)
            {
                return state;
            }

            exitId++;
            await Task.Delay(10);
        }

        return 0;
    }

    private static IEnumerable<(VcpuMessage Message, string Sentence)> Broken()
    {
        yield return (new(), "message: None is not expected here: an exit is.");
        yield return (new() { Open = new() }, "message: Open is not expected here: an exit is.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1 } }, "exit.kind: is not set.");
        yield return (new() { Exit = With(exit => exit.Hypercall.Conduit = Conduit.Unspecified) }, "exit.hypercall.conduit: is not set.");
        yield return (new() { Exit = With(exit => exit.Hypercall.Conduit = (Conduit)7) }, "exit.hypercall.conduit: 7 is no value this daemon knows.");
        yield return (new() { Exit = With(exit => exit.Hypercall.Imm = 0x1_0000) }, "exit.hypercall.imm: 0x10000 is wider than 16 bits.");
        yield return (new() { Exit = With(exit => exit.Hypercall.Registers.Add(new Register { Index = 18 })) }, "exit.hypercall.registers.index: 18 is not 6 to 17.");
        yield return (new() { Exit = With(exit => exit.Previous = new() { ExitId = 1 }) }, "exit.previous.outcome: is not set.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Attention = new() { Reason = AttentionReason.Requested } } }, "exit.attention.registers.x: a register file has 31 general registers.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Attention = new() } }, "exit.attention.reason: is not set.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Attention = new() { Reason = AttentionReason.Interrupt, Intid = 15 } } }, "exit.attention.intid: 15 is not 16 to 1019.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Attention = new() { Reason = AttentionReason.Interrupt, Intid = 1020 } } }, "exit.attention.intid: 1020 is not 16 to 1019.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Wake = new() { Cause = (WakeCause)9 } } }, "exit.wake.cause: 9 is no value this daemon knows.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Debug = new() { ReservedZero = 1 } } }, "exit.debug.reserved_zero: must be zero.");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, SystemEvent = new() { Count = 2, Data = { 1ul } } } }, "exit.system_event.data: 1 entries of which 2 are valid");
        yield return (new() { Exit = new() { ExitId = 1, Boot = 1, Failure = new() { Instruction = Google.Protobuf.ByteString.CopyFrom(new byte[16]) } } }, "exit.failure.instruction: 16 bytes, at most 15.");
    }

    private static Exit With(Action<Exit> change)
    {
        var exit = Call(PsciVersion, 1);
        change(exit);
        return exit;
    }

    private static void Refused(Status status, StatusCode code, string sentence)
    {
        Assert.Equal(code, status.StatusCode);
        Assert.Contains(sentence, status.Detail, StringComparison.Ordinal);
    }
}
