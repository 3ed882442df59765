using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

public sealed class OperatorTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    [Theory]
    [InlineData("PSCI_VERSION", new ulong[0], "PSCI", "PSCI_VERSION", "0x10003", "")]
    [InlineData("cpu_on", new ulong[] { 0, 0x4008_0000, 0 }, "PSCI", "CPU_ON", "ALREADY_ON", "")]
    [InlineData("SYSTEM_OFF", new ulong[0], "PSCI", "SYSTEM_OFF", "", "shut down")]
    [InlineData("HELLO_ADD", new ulong[] { 40, 2 }, "HELLO", "HELLO_ADD", "0x2a", "")]
    [InlineData("0xC400_0020", new ulong[0], "", "SDEI_VERSION", "NOT_SUPPORTED", "")]
    public async Task Calls_by_hand_on_a_scratch_machine(string function, ulong[] arguments, string service, string name, string result, string effect)
    {
        var reply = await daemon.Hypercalls.CallAsync(new() { Name = function, Arguments = { arguments } });
        Assert.Equal((service, name, result, effect), (reply.Service, reply.Function, reply.ResultText, reply.EffectText));
    }

    [Fact]
    public async Task A_name_that_no_table_knows_is_refused_with_the_closest_ones()
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => daemon.Hypercalls.CallAsync(new() { Name = "CPU_OM" }).ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.StartsWith("name: no table knows CPU_OM. Did you mean CPU_ON", refusal.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_by_hand_has_an_effect_on_a_machine_only_where_that_is_allowed()
    {
        await using var host = await AttachAsync(daemon, Greeting("by hand"));
        using var vcpu = await host.OpenAsync(0);
        await vcpu.ForwardAsync(Call(0x8400_0000, 1));
        var request = new CallRequest { Machine = "by hand", Name = "CPU_ON", Arguments = { 1, 0x4008_0000, 5 } };
        var refusal = await Assert.ThrowsAsync<RpcException>(() => daemon.Hypercalls.CallAsync(request).ResponseAsync);
        Assert.Contains("would power on 0.0.0.1", refusal.Status.Detail, StringComparison.Ordinal);
        Assert.Equal(1ul, (await vcpu.ForwardAsync(Call(0xC400_0004, 2, Applied(1), 1))).Values.X0); // AFFINITY_INFO: still OFF

        request.Apply = true;
        Assert.Equal("power on 0.0.0.1", (await daemon.Hypercalls.CallAsync(request)).EffectText);
        Assert.Equal(new Attention { Core = 0, Wanted = true }, (await host.HearAsync()).Attention);
        var answer = await vcpu.ForwardAsync(new()
        {
            ExitId = 3,
            Boot = 1,
            Previous = Applied(2),
            Attention = new() { Reason = AttentionReason.Requested, Registers = new() { X = { new ulong[31] } } },
        });
        Assert.Equal(new PowerOn { Core = 1, EntryPoint = 0x4008_0000, ContextId = 5, IfRefused = unchecked((ulong)-6) }, answer.PowerOn);
        Assert.Equal(Answer.ResultsOneofCase.None_, answer.ResultsCase);
    }

    [Fact]
    public async Task Watching_shows_each_call_with_names()
    {
        await using var host = await AttachAsync(daemon, Greeting("watched"));
        using var vcpu = await host.OpenAsync(0);
        using var watch = daemon.Operator.Watch(new() { Machine = "watched", Ids = { 0xC400_0003 } });
        await watch.ResponseHeadersAsync;
        await vcpu.ForwardAsync(Call(0x8400_0000, 1));
        await vcpu.ForwardAsync(Call(0xC400_0003, 2, Applied(1), 1, 0x40f8_0000, 9));
        Assert.True(await watch.ResponseStream.MoveNext().Soon());
        var record = watch.ResponseStream.Current;
        Assert.True(record.DurationNs > 0);
        Assert.True(record.TimeNs > 0);
        record.DurationNs = 0;
        record.TimeNs = 0;
        Assert.Equal(
            new CallRecord
            {
                Machine = "watched",
                Conduit = Conduit.Smc,
                Imm = 0,
                Id = 0xC400_0003,
                Service = "PSCI",
                Function = "CPU_ON",
                Arguments =
                {
                    new Argument { Name = "target_cpu", Value = 1 },
                    new Argument { Name = "entry_point_address", Value = 0x40f8_0000 },
                    new Argument { Name = "context_id", Value = 9 },
                },
                Results = { 0, 0, 0, 0 },
                ResultText = "SUCCESS",
                EffectText = "power on 0.0.0.1",
                ExitId = 2,
                Boot = 1,
            },
            record);
    }

    [Fact]
    public async Task Watching_for_an_ID_shows_it_with_the_SVE_hint_too_and_one_that_has_that_bit_as_it_is()
    {
        await using var host = await AttachAsync(daemon, Greeting("watched by ID"));
        using var vcpu = await host.OpenAsync(0);
        using var watch = daemon.Operator.Watch(new() { Machine = "watched by ID", Ids = { 0x8400_0000, 0x95C1_BA60 } });
        await watch.ResponseHeadersAsync;
        await vcpu.ForwardAsync(Call(0x8401_0000, 1));
        await vcpu.ForwardAsync(Call(0x95C0_BA60, 2, Applied(1)));
        await vcpu.ForwardAsync(Call(0x95C1_BA60, 3, Applied(2)));
        (uint, string, string)[] expected = [(0x8401_0000, "PSCI", "PSCI_VERSION"), (0x95C1_BA60, "", "PSCI_0_1_CPU_ON")];
        foreach (var one in expected)
        {
            Assert.True(await watch.ResponseStream.MoveNext().Soon());
            var record = watch.ResponseStream.Current;
            Assert.Equal(one, (record.Id, record.Service, record.Function));
        }
    }

    [Fact]
    public async Task Lists_services_machines_and_states()
    {
        await using var host = await AttachAsync(daemon, Greeting("listed", cores: 3));
        var services = (await daemon.Operator.ListServicesAsync(new())).Services;
        Assert.Equal(["HELLO", "PSCI", "SMCCC", "TRIALS"], services.Select(service => service.Name).Order());
        Assert.All(services, service => Assert.Empty(service.Failure));
        var machine = (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(one => one.Name == "listed");
        Assert.Equal((true, "a test", 3, 1ul), (machine.Attached, machine.Host, machine.Cores.Count, machine.Boot));
        Assert.Contains("\"Count\": 0", (await daemon.Operator.GetStateAsync(new() { Machine = "listed", Service = "hello" })).Json, StringComparison.Ordinal);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => daemon.Operator.RaiseAsync(new() { Machine = "listed", Service = "PSCI" }).ResponseAsync);
        Assert.Equal((StatusCode.FailedPrecondition, "service: PSCI takes no events."), (refusal.StatusCode, refusal.Status.Detail));
    }
}
