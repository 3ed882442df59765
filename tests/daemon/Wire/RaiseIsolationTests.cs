using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A service that hangs over an event, or over its own tables: its machine goes on, and what comes late is not committed.</summary>
public sealed class RaiseIsolationTests(IsolationTests.ShortDeadlines deadlines) : IClassFixture<IsolationTests.ShortDeadlines>
{
    private const ulong PsciVersion = 0x8400_0000;
    private const ulong Echo = 0xC300_0000;
    private const ulong Delivered = 1;

    /// <summary>20 seconds.</summary>
    private const ulong Hangs = 0x4841_4E47;

    /// <summary>3 seconds: longer than the deadline of 2, shorter than operators wait.</summary>
    private const ulong Slow = 0x534C_4F57;

    private readonly TestDaemon _daemon = deadlines.Daemon;

    [Fact]
    public async Task A_service_that_hangs_over_an_event_holds_up_neither_machine_nor_operator()
    {
        await using var host = await AttachAsync(_daemon, Greeting("hung by an event"));
        using var vcpu = await host.OpenAsync(0);
        var raising = _daemon.Operator.RaiseAsync(new() { Machine = "hung by an event", Event = Hangs }).ResponseAsync;
        await IsolationTests.InServiceAsync(_daemon, "hung by an event");
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
        Assert.Equal(ulong.MaxValue, (await vcpu.ForwardAsync(Call(Echo, 2, Applied(1)))).Values.X0);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => raising);
        Assert.Equal(
            (StatusCode.DeadlineExceeded, "TRIALS has not come back within 10000 ms. `hypercalls state TRIALS` shows whether it took the event."),
            (refusal.StatusCode, refusal.Status.Detail));
        var machine = (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(one => one.Name == "hung by an event");
        Assert.Equal("TRIALS has not come back from raise within 1000 ms: hung by an event goes on without it.", Assert.Single(machine.Remarks));
        Assert.Equal(
            new RaiseReply { Result = RaiseResult.Refused, Text = "TRIALS takes no part on hung by an event. `hypercalls machines` says why." },
            await _daemon.Operator.RaiseAsync(new() { Machine = "hung by an event", Service = "TRIALS", Event = Delivered }));
        var none = await Assert.ThrowsAsync<RpcException>(() => _daemon.Operator.RaiseAsync(new() { Machine = "hung by an event", Event = Delivered }).ResponseAsync);
        Assert.Equal("service: none that takes part on hung by an event takes events.", none.Status.Detail);
    }

    [Theory]
    [InlineData(true)] // the machine is taken from the service, which learns it when it comes back
    [InlineData(false)]
    public async Task An_event_that_is_taken_late_is_not_committed(bool isWaitedFor)
    {
        var name = isWaitedFor ? "late event, waited for" : "late event";
        await using var host = await AttachAsync(_daemon, Greeting(name));
        using var vcpu = await host.OpenAsync(0);
        var raising = _daemon.Operator.RaiseAsync(new() { Machine = name, Event = Slow }).ResponseAsync;
        await IsolationTests.InServiceAsync(_daemon, name);
        if (isWaitedFor)
        {
            Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
        }

        var refusal = await Assert.ThrowsAsync<RpcException>(() => raising);
        Assert.Contains(
            (refusal.StatusCode, refusal.Status.Detail),
            ((StatusCode, string)[])[
                (StatusCode.Aborted, "The service took so long that the machine went on without it."),
                .. isWaitedFor ? (ReadOnlySpan<(StatusCode, string)>)[] : [(StatusCode.FailedPrecondition, "TRIALS did not take the event within 2000 ms: nothing was changed.")],
            ]);
        var machine = (await _daemon.Operator.ListMachinesAsync(new())).Machines.Single(one => one.Name == name);
        Assert.Equal(1ul, machine.Failures);
        var state = await _daemon.Operator.GetStateAsync(new() { Machine = name, Service = "TRIALS" });
        Assert.Equal(["0.0.0.0", "0", "0"], state.Tables[0].Rows[0].Cells);
    }

    [Fact]
    public async Task A_service_that_hangs_over_attention_has_taken_the_event()
    {
        // Its attention hangs once a core is wanted: what was committed before stands.
        await using var host = await AttachAsync(_daemon, Greeting("hangs in attention after an event"));
        using var vcpu = await host.OpenAsync(0);
        using var raising = _daemon.Operator.RaiseAsync(new() { Machine = "hangs in attention after an event", Event = Delivered });
        await IsolationTests.InServiceAsync(_daemon, "hangs in attention after an event");
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(PsciVersion, 1))).Values.X0);
        var state = await _daemon.Operator.GetStateAsync(new() { Machine = "hangs in attention after an event", Service = "TRIALS" });
        Assert.Equal(["0.0.0.0", "1", "0"], state.Tables[0].Rows[0].Cells);
    }

    [Fact]
    public async Task A_service_that_hangs_over_its_tables_costs_one_thread_and_no_call()
    {
        await using var host = await AttachAsync(_daemon, Greeting("hangs in tables"));
        using var vcpu = await host.OpenAsync(0);
        AsyncUnaryCall<GetStateReply> Read(string service) => _daemon.Operator.GetStateAsync(new() { Machine = "hangs in tables", Service = service });
        var first = await Assert.ThrowsAsync<RpcException>(() => Read("TRIALS").ResponseAsync);
        Assert.Equal((StatusCode.Aborted, "TRIALS does not write its state for hangs in tables in time."), (first.StatusCode, first.Status.Detail));
        var second = await Assert.ThrowsAsync<RpcException>(() => Read("TRIALS").ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, "TRIALS has not come back from writing its state for hangs in tables."), (second.StatusCode, second.Status.Detail));
        Assert.NotEmpty((await Read("PSCI")).Json);
        Assert.Equal(6ul, (await vcpu.ForwardAsync(Call(Echo, 1, x1: 5))).Values.X0);
    }
}
