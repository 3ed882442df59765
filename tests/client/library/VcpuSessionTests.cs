using System.Diagnostics;
using Hypercalls.Client;
using Hypercalls.Protos;
using Hypercalls.Tests.Daemon;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Client.Library;

public sealed class VcpuSessionTests
{
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong Slow = 0xC300_0002;

    [Fact]
    public async Task Forwards_exits_one_after_another()
    {
        await using var running = await Running.StartAsync(_ => { });
        using var vcpu = running.Session.OpenVcpu(0);
        for (ulong n = 1; n <= 100; n++)
        {
            Assert.Equal(0x1_0003ul, vcpu.Forward(Call(PsciVersion, n, n > 1 ? Applied(n - 1) : null))?.Values.X0);
        }

        Assert.Equal(0, vcpu.Fallbacks);
    }

    [Fact]
    public async Task A_service_that_never_answers_is_a_fallback_at_the_deadline_and_the_next_exit_is_served()
    {
        await using var running = await Running.StartAsync(options => (options.DeadlineMs, options.HostDeadlineMs) = (200, 400));
        using var vcpu = running.Session.OpenVcpu(0);
        Assert.Equal(0x1_0003ul, vcpu.Forward(Call(PsciVersion, 1))?.Values.X0);
        Assert.Null(vcpu.Forward(Call(Slow, 2, Applied(1), x1: 2000)));
        Assert.Equal((1L, "No answer within 400 ms."), (vcpu.Fallbacks, vcpu.LastFault));
        // The service still holds the machine: exits fall back until it lets go, and none waits longer than its deadline.
        Answer? answer = null;
        for (ulong n = 3; answer is null && n < 100; n++)
        {
            answer = vcpu.Forward(Call(PsciVersion, n, FellBack(n - 1)));
            answer = answer?.Values.X0 == 0x1_0003 ? answer : null;
        }

        Assert.NotNull(answer);
    }

    [Fact]
    public async Task An_exit_that_waits_falls_back_when_its_vCPU_is_closed()
    {
        await using var running = await Running.StartAsync(options => (options.DeadlineMs, options.HostDeadlineMs) = (100_000, 200_000));
        using var vcpu = running.Session.OpenVcpu(0);
        Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
        var began = Stopwatch.GetTimestamp();
        var waiting = Task.Run(() => vcpu.Forward(Call(Slow, 2, Applied(1), x1: 20_000)));
        await Task.Delay(500);
        Assert.False(waiting.IsCompleted);
        vcpu.Close();
        Assert.Null(await waiting.Soon());
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(19));
    }

    [Fact]
    public async Task A_daemon_that_is_gone_is_a_fallback_and_told()
    {
        var running = await Running.StartAsync(options => (options.DeadlineMs, options.HostDeadlineMs) = (200, 400));
        using var vcpu = running.Session.OpenVcpu(0);
        Assert.NotNull(vcpu.Forward(Call(PsciVersion, 1)));
        await running.StopDaemonAsync();
        Assert.Equal("The daemon stops.", await running.Session.Ended.Soon());
        Assert.Null(vcpu.Forward(Call(PsciVersion, 2, Applied(1))));
        await running.DisposeAsync();
    }

    [Fact]
    public async Task Says_which_registers_a_function_uses_with_or_without_the_SVE_hint()
    {
        await using var running = await Running.StartAsync(_ => { });
        using var vcpu = running.Session.OpenVcpu(0);
        Assert.Equal(0x3_FFC0u, vcpu.Uses(Conduit.Smc, 0, 0xC300_0022));
        Assert.Equal(0x3_FFC0u, vcpu.Uses(Conduit.Hvc, 0, 0xC301_0022));
        Assert.Equal(0u, vcpu.Uses(Conduit.Smc, 7, 0xC300_0022));
        Assert.Equal(0u, vcpu.Uses(Conduit.Smc, 0, 0x8400_0000));
    }

    [Fact]
    public async Task Attention_and_reports_travel_on_the_session()
    {
        var asked = new TaskCompletionSource<(ulong, bool)>();
        await using var running = await Running.StartAsync(_ => { }, (core, wanted) => asked.TrySetResult((core, wanted)));
        using var boot = running.Session.OpenVcpu(0);
        Assert.Equal(0ul, boot.Forward(Call(0xC400_0003, 1, null, 1, 0x4008_0000))?.Values.X0); // CPU_ON
        running.Session.CoreStateChanged(1, CoreChange.Started, 1);
        Assert.Equal(0ul, boot.Forward(Call(0xC300_0001, 2, Applied(1), 1))?.Values.X0); // ATTEND core 1
        Assert.Equal((1ul, true), await asked.Task.Soon());
    }

    /// <summary>A daemon and a session with it.</summary>
    private sealed class Running(TestDaemon daemon, MachineSession session) : IAsyncDisposable
    {
        private bool _stopped;

        public MachineSession Session => session;

        public static async Task<Running> StartAsync(Action<Hypercalls.Daemon.DaemonOptions> configure, Action<ulong, bool>? attention = null)
        {
            var daemon = new TestDaemon(configure);
            await daemon.InitializeAsync();
            return new(daemon, await MachineSession.AttachAsync(daemon.Invoker, Greeting("session"), AllForwarded(), attention ?? ((_, _) => { })));
        }

        public async Task StopDaemonAsync()
        {
            _stopped = true;
            await daemon.StopAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await session.DisposeAsync();
            if (!_stopped)
            {
                await daemon.StopAsync();
            }

            await daemon.DisposeAsync();
        }
    }
}
