using System.Text.Json;
using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>Events that operators raise, and the states they read.</summary>
public sealed class RaiseTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const ulong Delivered = 1;
    private const ulong Pending = 2;
    private const ulong Unregistered = 3;
    private const ulong Throws = 4;

    [Fact]
    public async Task An_event_stops_its_core_and_enters_the_guest_s_handler()
    {
        await using var host = await AttachAsync(daemon, Greeting("raised"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(0xC300_0008, 1, null, 0x4100_0000)); // HANDLER
        var before = await MachineAsync("raised");
        Assert.Equal(
            new RaiseReply { Result = RaiseResult.Delivered, Text = "Core 0.0.0.0 is asked for." },
            await daemon.Operator.RaiseAsync(new() { Machine = "raised", Event = Delivered, Core = 0 }));
        Assert.Equal(new Attention { Core = 0, Wanted = true }, (await host.HearAsync()).Attention);
        var after = await MachineAsync("raised");
        // An event is no call.
        Assert.Equal((before.Commit + 1, before.Calls, before.Failures), (after.Commit, after.Calls, after.Failures));
        var answer = await vcpu.ForwardAsync(new() { ExitId = 2, Boot = 1, Previous = Applied(1), Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { new ulong[31] } } } });
        Assert.Equal(0x4100_0000ul, answer.Load.Pc);
        await daemon.SaysAsync($"raised: user {LocalSocket.User} raised event 1 of TRIALS: Delivered");
    }

    [Theory]
    [InlineData(Pending, "trials", RaiseResult.Pending, "Kept: nobody asks for it.", 1, 0)]
    [InlineData(Unregistered, "Trials", RaiseResult.Refused, "No guest has registered event 3.", 0, 0)]
    [InlineData(Throws, "", RaiseResult.Refused, "Nothing was changed: TRIALS failed in raise: InvalidOperationException: This event is broken.", 0, 1)]
    public async Task What_becomes_of_an_event_is_a_reply(ulong @event, string service, RaiseResult result, string text, ulong commits, ulong failures)
    {
        var name = $"raised {@event}";
        await using var host = await AttachAsync(daemon, Greeting(name));
        var before = await MachineAsync(name);
        var reply = await daemon.Operator.RaiseAsync(new() { Machine = name, Service = service, Event = @event });
        Assert.Equal(result, reply.Result);
        Assert.StartsWith(text, reply.Text, StringComparison.Ordinal);
        var after = await MachineAsync(name);
        Assert.Equal((before.Commit + commits, before.Failures + failures), (after.Commit, after.Failures));
    }

    [Fact]
    public async Task What_cannot_be_raised_is_refused_by_the_name_of_its_field()
    {
        await using var host = await AttachAsync(daemon, Greeting("raised wrongly"));
        var before = await MachineAsync("raised wrongly");
        await RefusedAsync(StatusCode.NotFound, "machine: no machine is named raised wronly. Did you mean raised wrongly?", new() { Machine = "raised wronly", Event = Delivered });
        await RefusedAsync(StatusCode.InvalidArgument, "machine: has control characters.", new() { Machine = "a\nb", Event = Delivered });
        await RefusedAsync(StatusCode.NotFound, "service: no service is named TRIAL. `hypercalls services` lists them.", new() { Machine = "raised wrongly", Service = "TRIAL", Event = Delivered });
        await RefusedAsync(StatusCode.ResourceExhausted, "service: is longer than 128 bytes.", new() { Machine = "raised wrongly", Service = new('S', 129), Event = Delivered });
        await RefusedAsync(StatusCode.FailedPrecondition, "service: PSCI takes no events.", new() { Machine = "raised wrongly", Service = "psci", Event = Delivered });
        await RefusedAsync(StatusCode.InvalidArgument, "core: raised wrongly has no core 0.0.0.2.", new() { Machine = "raised wrongly", Event = Delivered, Core = 2 });
        await RefusedAsync(StatusCode.InvalidArgument, "core: 0x100000000000000 has bits outside Aff3..Aff0 set.", new() { Machine = "raised wrongly", Event = Delivered, Core = 1ul << 56 });
        Assert.Equal(before.Commit, (await MachineAsync("raised wrongly")).Commit);
    }

    [Fact]
    public async Task An_event_for_a_machine_whose_host_is_gone_is_kept_until_one_is_back()
    {
        var host = await AttachAsync(daemon, Greeting("raised alone"));
        await host.DisposeAsync();
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        while ((await MachineAsync("raised alone")).Attached)
        {
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
            await Task.Delay(10);
        }

        Assert.Equal(
            new RaiseReply { Result = RaiseResult.Delivered, Text = "Core 0.0.0.0 is asked for. No host is attached to raised alone now: TRIALS keeps the event until one is." },
            await daemon.Operator.RaiseAsync(new() { Machine = "raised alone", Event = Delivered }));
        Assert.Equal("No guest has registered event 3.", (await daemon.Operator.RaiseAsync(new() { Machine = "raised alone", Event = Unregistered })).Text);
        var hello = Greeting("raised alone");
        hello.Token = host.Welcome.Token;
        await using var again = await AttachAsync(daemon, hello);
        Assert.Equal(new Attention { Core = 0, Wanted = true }, (await again.HearAsync()).Attention);
    }

    [Fact]
    public async Task Without_names_it_is_the_only_machine_and_the_only_service_or_a_list_of_them()
    {
        var several = new TestDaemon("psci", "trials", "twin");
        await several.InitializeAsync();
        try
        {
            const StatusCode Ambiguous = StatusCode.FailedPrecondition;
            await RefusedAsync(Ambiguous, "machine: none is attached. `hypercalls machines` lists those whose host was lost.", new() { Service = "TWIN" }, several);
            await using var one = await AttachAsync(several, Greeting("one"));
            Assert.Equal("Event 5 it is.", (await several.Operator.RaiseAsync(new() { Service = "TWIN", Event = 5 })).Text);
            Assert.Contains("\"Kept\": 0", (await several.Operator.GetStateAsync(new() { Service = "TRIALS" })).Json, StringComparison.Ordinal);
            await RefusedAsync(Ambiguous, "service: several take events, name one: TRIALS, TWIN.", new() { Event = 5 }, several);
            await using var two = await AttachAsync(several, Greeting("two"));
            await RefusedAsync(Ambiguous, "machine: several are attached, name one: one, two.", new() { Service = "TWIN" }, several);
        }
        finally
        {
            await several.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_daemon_whose_services_take_no_events_says_so()
    {
        var quiet = new TestDaemon("psci");
        await quiet.InitializeAsync();
        try
        {
            await using var host = await AttachAsync(quiet, Greeting("quiet"));
            await RefusedAsync(StatusCode.FailedPrecondition, "service: none that takes part on quiet takes events.", new() { Event = 5 }, quiet);
        }
        finally
        {
            await quiet.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_state_is_JSON_and_where_the_service_has_them_tables()
    {
        await using var host = await AttachAsync(daemon, Greeting("shown"));
        var state = await daemon.Operator.GetStateAsync(new() { Machine = "shown", Service = "trials" });
        Assert.Equal(
            [
                new StateTable { Title = "Cores", Columns = { "core", "pending", "count" }, Rows = { new StateRow { Cells = { "0.0.0.0", "0", "0" } }, new StateRow { Cells = { "0.0.0.1", "0", "0" } } } },
                new StateTable { Title = "Events", Columns = { "kept", "machine" }, Rows = { new StateRow { Cells = { "0", "\u001B[31mshown" } } } },
            ],
            state.Tables);
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(state.Json).RootElement.ValueKind);
        Assert.Empty((await daemon.Operator.GetStateAsync(new() { Machine = "shown", Service = "PSCI" })).Tables);
    }

    [Fact]
    public async Task Tables_that_a_service_cannot_give_are_a_sentence_beside_the_JSON()
    {
        await using var host = await AttachAsync(daemon, Greeting("tableless"));
        var state = await daemon.Operator.GetStateAsync(new() { Machine = "tableless", Service = "TRIALS" });
        Assert.Contains("\"Kept\": 0", state.Json, StringComparison.Ordinal);
        var table = Assert.Single(state.Tables);
        Assert.StartsWith("TRIALS failed in tables: InvalidOperationException: No tables today.", Assert.Single(Assert.Single(table.Rows).Cells), StringComparison.Ordinal);
        await daemon.SaysAsync("No tables today.");
    }

    private async Task RefusedAsync(StatusCode code, string sentence, RaiseRequest request, TestDaemon? at = null)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => (at ?? daemon).Operator.RaiseAsync(request).ResponseAsync);
        Assert.Equal((code, sentence), (refusal.StatusCode, refusal.Status.Detail));
    }

    private async Task<Machine> MachineAsync(string name) => (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == name);
}
