using Grpc.Core;
using Hypercalls.Client.Kernel;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>Hosts whose kernels keep calls for themselves: refused where a service insists on them, else told and shown what never arrives.</summary>
public sealed class KernelShareTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const ulong NotSupported = ulong.MaxValue;

    [Fact]
    public async Task A_kernel_that_keeps_PSCI_is_refused_by_the_service_that_insists_on_it()
    {
        await using var host = await GreetAsync(daemon, Greeting("keeper"), KernelProfiles.Find("linux-7.2-defaults")!);
        var refusal = (await Assert.ThrowsAsync<RpcException>(() => host.Attach.ResponseStream.MoveNext().Soon())).Status;
        Assert.Equal(StatusCode.FailedPrecondition, refusal.StatusCode);
        Assert.StartsWith("ready: ", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains("PSCI never sees PSCI_VERSION (0x8400_0000, PSCI version register: 1.3), CPU_SUSPEND (0x8400_0001, ", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains("attach with --allow-shadowed", refusal.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain((await daemon.Operator.ListMachinesAsync(new())).Machines, machine => machine.Name == "keeper");
    }

    [Fact]
    public async Task The_same_kernel_is_taken_where_the_host_allows_it_and_all_can_see_what_never_arrives()
    {
        await using var host = await AttachAsync(daemon, Allowing("allowed"), KernelProfiles.Find("linux-7.2-defaults"));
        Assert.Contains(host.Welcome.Served, range => range.Service == "PSCI");
        Assert.DoesNotContain(host.Accepted.Served, range => range.Service is "PSCI" or "SMCCC");

        var listed = (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == "allowed");
        Assert.Contains(listed.NeverArrives, sentence => sentence.StartsWith("PSCI never sees PSCI_VERSION (0x8400_0000, PSCI version register: 1.3), ", StringComparison.Ordinal));
        Assert.Contains(listed.NeverArrives, sentence => sentence.StartsWith("HELLO never sees HELLO_VERSION (0x8200_0000, no filter range forwards it), ", StringComparison.Ordinal));
        Assert.Equal(
            new RegisterAnswer { W0 = 0x8400_0008, AnsweredBy = AnsweredBy.Kernel, Function = "SYSTEM_OFF", Reason = "PSCI version register: 1.3", Shadowed = "PSCI" },
            await daemon.Register.GetAsync(new() { Machine = "allowed", Name = "SYSTEM_OFF" }));
    }

    [Theory]
    [InlineData("linux-6.12-forward-all")]
    [InlineData("linux-7.2-forward-all")]
    public async Task A_kernel_that_forwards_all_it_can_keeps_SMCCC_and_immediates_of_SMC(string kernel)
    {
        await using var refused = await GreetAsync(daemon, Greeting(kernel), KernelProfiles.Find(kernel)!);
        Assert.StartsWith(
            "ready: TRIALS never sees TRIALS immediate (SMC #0x1, KVM answers SMC with an immediate other than 0 with NOT_SUPPORTED), TRIALS immediate (SMC #0xE200, ",
            (await Assert.ThrowsAsync<RpcException>(() => refused.Attach.ResponseStream.MoveNext().Soon())).Status.Detail,
            StringComparison.Ordinal);

        await using var host = await AttachAsync(daemon, Allowing(kernel), KernelProfiles.Find(kernel));
        Assert.Equal(host.Welcome.Served.Where(range => range.Service != "SMCCC"), host.Accepted.Served);
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
        Assert.Equal(NotSupported, (await vcpu.ForwardAsync(Call(0x8000_0000, 2, Applied(1)))).Values.X0); // SMCCC_VERSION: no such kernel forwards it
        var listed = (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == kernel);
        Assert.Contains(
            "SMCCC never sees SMCCC_VERSION (0x8000_0000, always), SMCCC_ARCH_FEATURES (0x8000_0001, always), and serves nothing of its family without SMCCC_VERSION",
            listed.NeverArrives);
    }

    [Fact]
    public async Task Nothing_of_PSCI_is_served_where_its_VERSION_does_not_arrive()
    {
        var ready = new Ready();
        foreach (var range in AllForwarded().Ranges)
        {
            foreach (var (first, last, disposition) in ((uint, uint, Disposition)[])
            [
                (0, 0x83FF_FFFF, Disposition.Forwarded), (0x8400_0000, 0x8400_0000, Disposition.Kernel), (0x8400_0001, uint.MaxValue, Disposition.Forwarded),
            ])
            {
                var part = range.Clone();
                (part.First, part.Last, part.Disposition) = (first, last, disposition);
                ready.Ranges.Add(part);
            }
        }

        await using var host = await AttachAsync(daemon, Allowing("versionless"), ready);
        Assert.DoesNotContain(host.Accepted.Served, range => range.Service == "PSCI");
        using var vcpu = await host.OpenAsync(0);
        var refused = await vcpu.ForwardAsync(Call(0xC400_0003, 1, null, 1, 0x4008_0000)); // CPU_ON
        Assert.Equal(new Results { X0 = NotSupported }, refused.Values);
        Assert.Equal(Answer.EffectOneofCase.None, refused.EffectCase);
        Assert.Equal(42ul, (await vcpu.ForwardAsync(Call(0xC200_0001, 2, Applied(1), 40, 2))).Values.X0); // HELLO_ADD
        Assert.Equal(
            new RegisterAnswer { W0 = 0xC400_0003, AnsweredBy = AnsweredBy.Nobody, Function = "CPU_ON", Reason = "PSCI_VERSION does not arrive", Shadowed = "PSCI" },
            await daemon.Register.GetAsync(new() { Machine = "versionless", W0 = 0xC400_0003 }));
    }

    [Fact]
    public async Task A_vCPU_of_a_machine_that_is_refused_is_refused_too()
    {
        await using var host = await GreetAsync(daemon, Greeting("hopeful"), KernelProfiles.Find("linux-7.2-defaults")!);
        using var vcpu = await host.OpenAsync(0);
        await vcpu.SendAsync(new() { Exit = Call(0x8400_0000, 1) });
        Assert.Contains((await vcpu.RefusedAsync()).Detail, (string[])["open.token: hopeful never became ready.", "open.token: no machine has this token. Attach first."]);
    }

    [Fact]
    public async Task An_exit_waits_for_what_the_host_says_of_its_kernel()
    {
        using var attach = daemon.Hypercalls.Attach();
        await attach.RequestStream.WriteAsync(new() { Hello = Allowing("early") });
        Assert.True(await attach.ResponseStream.MoveNext().Soon());
        using var vcpu = daemon.Hypercalls.RunVcpu();
        await vcpu.RequestStream.WriteAsync(new() { Open = new() { Token = attach.ResponseStream.Current.Welcome.Token, Mpidr = 0 } });
        await vcpu.RequestStream.WriteAsync(new() { Exit = Call(0x8400_0000, 1) });
        var answered = vcpu.ResponseStream.MoveNext();
        Assert.NotSame(answered, await Task.WhenAny(answered, Task.Delay(200)));
        await attach.RequestStream.WriteAsync(new() { Ready = KernelProfiles.Find("linux-7.2-defaults") });
        Assert.True(await answered.Soon());
        Assert.Equal(NotSupported, vcpu.ResponseStream.Current.Answer.Values.X0); // nothing of PSCI is served here
    }

    [Fact]
    public async Task A_machine_whose_next_host_leaves_before_Ready_keeps_its_state()
    {
        await using var first = await AttachAsync(daemon, Greeting("patient"));
        using (var vcpu = await first.OpenAsync(0))
        {
            await vcpu.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        }

        var hello = Greeting("patient");
        hello.Token = first.Welcome.Token;
        using (var second = daemon.Hypercalls.Attach())
        {
            await second.RequestStream.WriteAsync(new() { Hello = hello });
            Assert.True(await second.ResponseStream.MoveNext().Soon());
        }

        await using var third = await AttachAsync(daemon, hello);
        using var again = await third.OpenAsync(0);
        Assert.Equal(2ul, (await again.ForwardAsync(Call(0x8200_0002, 2, Applied(1)))).Values.X0);
    }

    [Fact]
    public async Task A_host_whose_Ready_is_refused_changes_nothing_of_the_machine_that_it_would_take_over()
    {
        await using var first = await AttachAsync(daemon, Greeting("steady"));
        using var vcpu = await first.OpenAsync(0);
        await vcpu.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        var hello = Greeting("steady");
        (hello.Token, hello.Boot) = (first.Welcome.Token, 2);
        await using (var second = await GreetAsync(daemon, hello, KernelProfiles.Find("linux-7.2-defaults")!))
        {
            await Assert.ThrowsAsync<RpcException>(() => second.Attach.ResponseStream.MoveNext().Soon());
        }

        Assert.Equal(2ul, (await vcpu.ForwardAsync(Call(0x8200_0002, 2, Applied(1)))).Values.X0);
        Assert.Equal(1ul, (await daemon.Operator.ListMachinesAsync(new())).Machines.Single(machine => machine.Name == "steady").Boot);
    }

    [Fact]
    public async Task A_host_that_took_a_machine_over_is_the_only_one_whose_exits_are_served()
    {
        await using var first = await AttachAsync(daemon, Greeting("handed"));
        using var old = await first.OpenAsync(0);
        await old.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        var hello = Greeting("handed");
        hello.Token = first.Welcome.Token;
        await using var second = await AttachAsync(daemon, hello);
        await old.SendAsync(new() { Exit = Call(0x8200_0002, 2, Applied(1)) });
        Assert.Equal("open: a host has attached handed again since this stream was opened. Open another.", (await old.RefusedAsync()).Detail);
        using var vcpu = await second.OpenAsync(0);
        Assert.Equal(2ul, (await vcpu.ForwardAsync(Call(0x8200_0002, 2, Applied(1)))).Values.X0);
    }

    private static HelloMessage Allowing(string name)
    {
        var hello = Greeting(name);
        hello.OptionalFeatures.Add("allow-shadowed");
        return hello;
    }
}
