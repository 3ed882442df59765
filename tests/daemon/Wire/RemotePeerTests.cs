using Grpc.Core;
using Hypercalls.Protos;
using Hypercalls.Protos.Tls;
using Hypercalls.Tests.Daemon.Hosting;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HypercallsClient = Hypercalls.Protos.Hypercalls.HypercallsClient;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>What the holder of a certificate may attach, look at and call on.</summary>
public sealed class RemotePeerTests(TlsDaemon tls) : IClassFixture<TlsDaemon>
{
    [Theory]
    [InlineData("names")]
    [InlineData("names/guest")]
    [InlineData("names/a/b c")]
    public async Task A_host_attaches_machines_of_its_own_name(string machine)
    {
        await using var host = await AttachAsync(Client(TlsDaemon.Host("names")), Greeting(machine));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
    }

    [Theory]
    [InlineData("rack2")]
    [InlineData("rack2/guest")]
    [InlineData("rack10")]
    [InlineData("rack1x/guest")]
    [InlineData("rack1/")]
    [InlineData("Rack1/guest")]
    [InlineData("x/rack1")]
    [InlineData("/rack1")]
    public async Task A_host_attaches_no_machine_of_another_name(string machine)
    {
        var sentence = $"hello.machine: host rack1 may not attach {machine}: its certificate is good for the machines rack1 and rack1/… alone.";
        await RefusedAsync(() => AttachAsync(Client(TlsDaemon.Host("rack1")), Greeting(machine)), sentence);
    }

    [Fact]
    public Task An_operator_attaches_no_machine() => RefusedAsync(
        () => AttachAsync(Client(TlsDaemon.Operator("ann")), Greeting("ann/guest")),
        "hello.machine: operator ann may not attach ann/guest: an operator's certificate attaches no machines; `hypercalls cert host NAME` makes one that does.");

    [Fact]
    public async Task A_token_from_another_certificate_opens_no_vCPU()
    {
        await using var owner = await AttachAsync(Client(TlsDaemon.Host("owner")), Greeting("owner/guest"));
        foreach (var (thief, name) in Thieves())
        {
            using var stream = new HypercallsClient(thief).RunVcpu();
            await stream.RequestStream.TryWriteAsync(new() { Open = new() { Token = owner.Welcome.Token, Mpidr = 0 } });
            await RefusedAsync(() => stream.ResponseStream.MoveNext().Soon(), $"open.token: {name} presents a token that was given to somebody else.");
        }

        using var vcpu = await owner.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
    }

    [Fact]
    public async Task A_token_from_another_certificate_takes_no_machine_over()
    {
        await using var owner = await AttachAsync(Client(TlsDaemon.Host("kept")), Greeting("kept/guest"));
        foreach (var (thief, name) in Thieves())
        {
            // Under the machine's name and under one that the thief may use.
            var hello = Greeting(name == "host thief" ? "thief/guest" : "kept/guest");
            hello.Token = owner.Welcome.Token;
            await RefusedAsync(() => AttachAsync(thief, hello), name.StartsWith("operator", StringComparison.Ordinal)
                ? $"hello.machine: {name} may not attach kept/guest"
                : $"hello.token: {name} presents a token that was given to somebody else.");
        }

        using var vcpu = await owner.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
    }

    [Fact]
    public async Task A_renewed_certificate_of_the_same_name_goes_on()
    {
        await using var first = await AttachAsync(Client(TlsDaemon.Host("renewed")), Greeting("renewed"));
        var hello = Greeting("renewed");
        hello.Token = first.Welcome.Token;
        await using var second = await AttachAsync(Client(TlsDaemon.Host("renewed")), hello);
        Assert.Equal("Another host process has taken this machine over.", (await first.HearAsync()).Goodbye.Reason);
        Assert.Equal((false, true), (first.Welcome.Known, second.Welcome.Known));
    }

    [Fact]
    public async Task A_host_sees_its_own_machines_and_an_operator_all()
    {
        var (left, right, ann) = (Client(TlsDaemon.Host("left")), Client(TlsDaemon.Host("right")), Client(TlsDaemon.Operator("ann")));
        await using var one = await AttachAsync(left, Greeting("left/one"));
        await using var two = await AttachAsync(right, Greeting("right/two"));
        Assert.Equal(["left/one"], await MachinesAsync(left));
        Assert.Equal(["right/two"], await MachinesAsync(right));
        Assert.Superset(new HashSet<string> { "left/one", "right/two" }, (await MachinesAsync(ann)).ToHashSet());
        Assert.Equal(tls.Daemon.Operator.ListMachines(new()).Machines.Select(machine => machine.Name), await MachinesAsync(ann));

        const string Forbidden = "machine: host left may not reach right/two: its certificate is good for the machines left and left/… alone.";
        await RefusedAsync(() => new Operator.OperatorClient(left).GetStateAsync(new() { Machine = "right/two", Service = "PSCI" }).ResponseAsync, Forbidden);
        await RefusedAsync(() => new Operator.OperatorClient(left).RaiseAsync(new() { Machine = "right/two", Service = "PSCI" }).ResponseAsync, Forbidden);
        await RefusedAsync(() => new HypercallsClient(left).CallAsync(new() { Machine = "right/two", Name = "PSCI_VERSION" }).ResponseAsync, Forbidden);
        await RefusedAsync(() => new KernelRegister.KernelRegisterClient(left).GetAsync(new() { Machine = "right/two", Name = "PSCI_VERSION" }).ResponseAsync, Forbidden);
        await RefusedAsync(() => ReadAsync(new KernelRegister.KernelRegisterClient(left).List(new() { Machine = "right/two" })), Forbidden);
        await RefusedAsync(() => ReadAsync(new Operator.OperatorClient(left).Watch(new() { Machine = "right/two" })), Forbidden);

        // Where nobody has attached it, the answer is the same; near names of others are not told.
        await RefusedAsync(() => new HypercallsClient(left).CallAsync(new() { Machine = "right/nobody", Name = "PSCI_VERSION" }).ResponseAsync, "host left may not reach right/nobody");
        var none = await Assert.ThrowsAsync<RpcException>(() => new HypercallsClient(left).CallAsync(new() { Machine = "left/tow", Name = "PSCI_VERSION" }).ResponseAsync);
        Assert.Equal("machine: no machine is named left/tow. `hypercalls machines` lists them.", none.Status.Detail);

        foreach (var (who, machine) in ((CallInvoker, string)[])[(left, "left/one"), (ann, "left/one"), (ann, "right/two")])
        {
            Assert.Equal("0x10003", (await new HypercallsClient(who).CallAsync(new() { Machine = machine, Name = "PSCI_VERSION" })).ResultText);
            Assert.NotEmpty((await new Operator.OperatorClient(who).GetStateAsync(new() { Machine = machine, Service = "PSCI" })).Json);
        }
    }

    [Fact]
    public async Task An_event_reaches_machines_within_reach_alone_and_without_a_name_the_only_one_of_them()
    {
        var (near, far) = (Client(TlsDaemon.Host("near")), Client(TlsDaemon.Host("far")));
        await using var nearHost = await AttachAsync(near, Greeting("near/guest"));
        await using var farHost = await AttachAsync(far, Greeting("far/guest"));
        await RefusedAsync(
            () => new Operator.OperatorClient(near).RaiseAsync(new() { Machine = "far/guest", Service = "TRIALS", Event = 2 }).ResponseAsync,
            "machine: host near may not reach far/guest: its certificate is good for the machines near and near/… alone.");
        Assert.Equal(RaiseResult.Pending, (await new Operator.OperatorClient(near).RaiseAsync(new() { Event = 2 })).Result);
        foreach (var (machine, kept) in ((string, string)[])[("near/guest", "1"), ("far/guest", "0")])
        {
            Assert.Equal(kept, (await tls.Daemon.Operator.GetStateAsync(new() { Machine = machine, Service = "TRIALS" })).Tables[1].Rows[0].Cells[0]);
        }

        await tls.Daemon.SaysAsync("near/guest: host near raised event 2 of TRIALS: Pending");
    }

    [Fact]
    public async Task Whoever_watches_everything_sees_the_calls_of_machines_within_reach()
    {
        var (mine, other, ann) = (Client(TlsDaemon.Host("mine")), Client(TlsDaemon.Host("other")), Client(TlsDaemon.Operator("watcher")));
        await using var mineHost = await AttachAsync(mine, Greeting("mine"));
        await using var otherHost = await AttachAsync(other, Greeting("other"));
        using var own = new Operator.OperatorClient(mine).Watch(new() { Ids = { 0x8200_0002 } });
        using var all = new Operator.OperatorClient(ann).Watch(new() { Ids = { 0x8200_0002 } });
        await Task.WhenAll(own.ResponseHeadersAsync, all.ResponseHeadersAsync).Soon();
        foreach (var host in (Host[])[otherHost, mineHost])
        {
            using var vcpu = await host.OpenAsync(0);
            await vcpu.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        }

        Assert.True(await own.ResponseStream.MoveNext().Soon());
        Assert.Equal("mine", own.ResponseStream.Current.Machine);
        Assert.True(await all.ResponseStream.MoveNext().Soon());
        Assert.Equal("other", all.ResponseStream.Current.Machine);
    }

    /// <summary>Whoever else can reach the daemon.</summary>
    private IEnumerable<(CallInvoker Invoker, string Name)> Thieves() =>
    [
        (Client(TlsDaemon.Host("thief")), "host thief"),
        (Client(TlsDaemon.Operator("kept")), "operator kept"),
        (tls.Daemon.Invoker, $"user {LocalSocket.User}"),
    ];

    private CallInvoker Client(Party party) => tls.Client(party).CreateCallInvoker();

    private static async Task<IEnumerable<string>> MachinesAsync(CallInvoker invoker) =>
        (await new Operator.OperatorClient(invoker).ListMachinesAsync(new())).Machines.Select(machine => machine.Name);

    private static async Task ReadAsync<T>(AsyncServerStreamingCall<T> call)
    {
        using (call)
        {
            await call.ResponseStream.MoveNext(CancellationToken.None).Soon();
        }
    }

    /// <summary>The reply says it and the log.</summary>
    private async Task RefusedAsync(Func<Task> refused, string sentence)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(refused);
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.Contains(sentence, refusal.Status.Detail, StringComparison.Ordinal);
        await tls.Daemon.SaysAsync($"Refused: {refusal.Status.Detail}");
    }
}
