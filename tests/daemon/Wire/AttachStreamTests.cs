using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;
using HelloMessage = Hypercalls.Protos.Hello;

namespace Hypercalls.Tests.Daemon.Wire;

public sealed class AttachStreamTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    [Fact]
    public async Task Welcomes_with_token_deadlines_and_what_is_served()
    {
        await using var host = await AttachAsync(daemon, Greeting("welcomed"));
        Assert.Equal(1u, host.Welcome.ProtocolMajor);
        Assert.Equal(16, host.Welcome.Token.Length);
        Assert.True(host.Welcome.Deadlines.DaemonUs < host.Welcome.Deadlines.HostUs);
        Assert.Contains(
            new ServedRange { Conduits = { Conduit.Smc, Conduit.Hvc }, First = 0x8400_0008, Last = 0x8400_0008, Service = "PSCI", NoReturn = true },
            host.Welcome.Served);
        Assert.Contains(
            new ServedRange { Conduits = { Conduit.Smc }, Imm = 0xFFFF, First = 0, Last = uint.MaxValue, Service = "TRIALS" },
            host.Welcome.Served);
        Assert.Contains(host.Welcome.Served, range => range is { First: 0xC300_0022, Uses: 0x3_FFC0 });
    }

    [Fact]
    public async Task Tells_what_services_want_in_the_device_tree()
    {
        await using var host = await AttachAsync(daemon, Greeting("tree"));
        Assert.Equal(
            [
                new DeviceTreeNode
                {
                    Path = "/trials",
                    Properties =
                    {
                        new DeviceTreeProperty { Name = "compatible", Data = ByteString.CopyFromUtf8("hypercalls,trials\0hypercalls,tests\0") },
                        new DeviceTreeProperty { Name = "method", Conduit = new() },
                        new DeviceTreeProperty { Name = "quiet", Data = ByteString.Empty },
                    },
                },
                new DeviceTreeNode
                {
                    Path = "/cpus/cpu@*",
                    Properties =
                    {
                        new DeviceTreeProperty { Name = "trials", References = new() { Paths = { "/trials" } } },
                        new DeviceTreeProperty { Name = "cells", Data = ByteString.CopyFrom(0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78) },
                    },
                },
            ],
            host.Accepted.DeviceTree.Where(node => node.Properties.Any(property => property.Name is "trials" or "quiet")));
    }

    [Fact]
    public async Task A_service_that_fails_over_the_device_tree_adds_nothing_and_is_reported()
    {
        await using var host = await AttachAsync(daemon, Greeting("treeless"));
        Assert.DoesNotContain(host.Accepted.DeviceTree, node => node.Path == "/trials");
        var machines = await daemon.Operator.ListMachinesAsync(new());
        Assert.Equal(1ul, machines.Machines.Single(machine => machine.Name == "treeless").Failures);
    }

    [Fact]
    public async Task A_live_machine_keeps_its_name()
    {
        await using var host = await AttachAsync(daemon, Greeting("taken"));
        Refused(await RefusedAsync(Greeting("taken")), StatusCode.FailedPrecondition, "hello.machine: a live machine is named taken.");
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
    }

    [Fact]
    public async Task Its_token_takes_a_live_machine_over_with_its_state()
    {
        await using var first = await AttachAsync(daemon, Greeting("moved"));
        using (var vcpu = await first.OpenAsync(0))
        {
            await vcpu.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        }

        var hello = Greeting("moved");
        hello.Token = first.Welcome.Token;
        await using var second = await AttachAsync(daemon, hello);
        Assert.Equal("Another host process has taken this machine over.", (await first.HearAsync()).Goodbye.Reason);
        using var again = await second.OpenAsync(0);
        Assert.Equal(2ul, (await again.ForwardAsync(Call(0x8200_0002, 2, Applied(1)))).Values.X0);
    }

    [Fact]
    public async Task A_Ready_that_was_late_does_not_take_the_machine_from_a_later_Hello()
    {
        await using var first = await AttachAsync(daemon, Greeting("late"));
        var hello = Greeting("late");
        hello.Token = first.Welcome.Token;
        // Its connection is slow: the host has given it up and attached by another one.
        using var slow = daemon.Hypercalls.Attach();
        await slow.RequestStream.WriteAsync(new() { Hello = hello });
        Assert.True(await slow.ResponseStream.MoveNext().Soon());
        await using var second = await AttachAsync(daemon, hello);
        await slow.RequestStream.WriteAsync(new() { Ready = AllForwarded() });
        var refusal = await Assert.ThrowsAsync<RpcException>(() => slow.ResponseStream.MoveNext().Soon());
        Assert.Equal(new Status(StatusCode.FailedPrecondition, "ready: late was attached by a later Hello meanwhile."), refusal.Status);
        using var vcpu = await second.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
        await second.SayAsync(new() { Detach = new() { Reason = "It was attached to its end." } });
        Assert.False(await second.Attach.ResponseStream.MoveNext().Soon());
    }

    [Fact]
    public async Task The_cores_of_a_host_that_attaches_again_win()
    {
        await using var first = await AttachAsync(daemon, Greeting("cores"));
        var hello = Greeting("cores");
        hello.Token = first.Welcome.Token;
        hello.Cores[1].Power = CorePower.On;
        await using var second = await AttachAsync(daemon, hello);
        using var vcpu = await second.OpenAsync(0);
        Assert.Equal(0ul, (await vcpu.ForwardAsync(Call(0xC400_0004, 1, null, 1))).Values.X0); // AFFINITY_INFO: ON
    }

    [Fact]
    public async Task A_detached_machine_is_gone_and_its_name_free()
    {
        await using (var host = await AttachAsync(daemon, Greeting("gone")))
        {
            await host.SayAsync(new() { Detach = new() { Reason = "done" } });
            Assert.False(await host.Attach.ResponseStream.MoveNext().Soon());
        }

        Assert.DoesNotContain((await daemon.Operator.ListMachinesAsync(new())).Machines, machine => machine.Name == "gone");
        await using var next = await AttachAsync(daemon, Greeting("gone"));
    }

    [Fact]
    public async Task Hellos_that_break_the_rules_are_refused_by_the_name_of_their_field()
    {
        foreach (var (change, code, sentence) in Broken())
        {
            var hello = Greeting("broken");
            change(hello);
            Refused(await RefusedAsync(hello), code, sentence);
        }

        await using var good = await AttachAsync(daemon, Greeting("broken"));
    }

    [Fact]
    public async Task A_stream_that_does_not_begin_with_Hello_is_refused()
    {
        using var attach = daemon.Hypercalls.Attach();
        await attach.RequestStream.TryWriteAsync(new() { Detach = new() });
        Refused(await StatusAsync(attach), StatusCode.InvalidArgument, "hello: must be the first message of Attach.");
    }

    [Fact]
    public async Task A_kernel_register_with_a_gap_is_refused()
    {
        var ready = AllForwarded();
        ready.Ranges[0].Last = 0x7FFF_FFFF;
        await using var host = await GreetAsync(daemon, Greeting("gap"), ready);
        Refused(await StatusAsync(host.Attach), StatusCode.InvalidArgument, "ready.ranges: Smc, AArch64: the ranges end at 0x80000000");
        // Its name is free at once: it never became ready.
        await using var again = await AttachAsync(daemon, Greeting("gap"));
    }

    [Fact]
    public async Task A_host_that_leaves_before_Ready_keeps_no_name()
    {
        for (var tries = 0; tries < 20; tries++)
        {
            using var attach = daemon.Hypercalls.Attach();
            await attach.RequestStream.WriteAsync(new() { Hello = Greeting("hasty") });
            Assert.True(await attach.ResponseStream.MoveNext().Soon());
            await attach.RequestStream.CompleteAsync();
            Refused(await StatusAsync(attach), StatusCode.InvalidArgument, "ready: must follow Welcome.");
        }

        Assert.DoesNotContain((await daemon.Operator.ListMachinesAsync(new())).Machines, machine => machine.Name == "hasty");
    }

    [Fact]
    public async Task A_machine_that_was_reset_while_nobody_listened_begins_anew()
    {
        await using var first = await AttachAsync(daemon, Greeting("anew"));
        using (var vcpu = await first.OpenAsync(0))
        {
            await vcpu.ForwardAsync(Call(0x8200_0002, 1)); // HELLO_COUNT
        }

        var hello = Greeting("anew");
        hello.Token = first.Welcome.Token;
        hello.Boot = 2;
        await using var second = await AttachAsync(daemon, hello);
        using var again = await second.OpenAsync(0);
        var call = Call(0x8200_0002, 1);
        call.Boot = 2;
        Assert.Equal(1ul, (await again.ForwardAsync(call)).Values.X0);
    }

    [Fact]
    public async Task A_kernel_register_of_a_megabyte_is_taken_where_a_Hello_of_that_size_is_not()
    {
        var hello = Greeting("large");
        hello.IdRegisters.Add(Enumerable.Range(0, 5000).Select(n => new NamedRegister { Name = $"REGISTER_{n}" }));
        Refused(await RefusedAsync(hello), StatusCode.ResourceExhausted, "hello.id_registers: 5000 entries, at most 4096.");
        var ready = AllForwarded();
        foreach (var range in ready.Ranges)
        {
            range.Reason = new string('r', 128);
        }

        await using var host = await AttachAsync(daemon, Greeting("large"), Split(ready, 1000));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
    }

    private static Ready Split(Ready ready, uint pieces)
    {
        var split = new Ready();
        var step = (uint)((1ul << 32) / pieces);
        foreach (var range in ready.Ranges)
        {
            for (uint piece = 0; piece < pieces; piece++)
            {
                var part = range.Clone();
                part.First = piece * step;
                part.Last = piece == pieces - 1 ? uint.MaxValue : ((piece + 1) * step) - 1;
                split.Ranges.Add(part);
            }
        }

        return split;
    }

    private static IEnumerable<(Action<HelloMessage> Change, StatusCode Code, string Sentence)> Broken()
    {
        yield return (hello => hello.ProtocolMajor = 2, StatusCode.FailedPrecondition, "hello.protocol_major: the host speaks version 2, this daemon 1.");
        yield return (hello => hello.RequiredFeatures.Add("levitation"), StatusCode.FailedPrecondition, "hello.required_features: this daemon lacks levitation.");
        yield return (hello => hello.Machine = "", StatusCode.InvalidArgument, "hello.machine: is empty.");
        yield return (hello => hello.Machine = "a\nb", StatusCode.InvalidArgument, "hello.machine: has control characters.");
        yield return (hello => hello.Machine = new('m', 129), StatusCode.ResourceExhausted, "hello.machine: is longer than 128 bytes.");
        yield return (hello => hello.Cores.Clear(), StatusCode.InvalidArgument, "hello.cores: a machine has at least one core.");
        yield return (hello => hello.Cores[1].Mpidr = 0, StatusCode.InvalidArgument, "hello.cores.mpidr: two cores have one affinity.");
        yield return (hello => hello.Cores[1].Mpidr = 1ul << 31, StatusCode.InvalidArgument, "hello.cores.mpidr: 0x80000000 has bits outside Aff3..Aff0 set.");
        yield return (hello => hello.Cores[1].Power = (CorePower)9, StatusCode.InvalidArgument, "hello.cores.power: 9 is no value this daemon knows.");
        yield return (hello => hello.Cores.Add(Enumerable.Range(2, 1023).Select(n => new Core { Mpidr = (ulong)((n & 0xFF) | n >> 8 << 8), Power = CorePower.Off })), StatusCode.ResourceExhausted, "hello.cores: 1025 entries, at most 1024.");
        yield return (hello => hello.ClientEl = 3, StatusCode.InvalidArgument, "hello.client_el: 3 is neither 1 nor 2.");
        yield return (hello => hello.Boot = 0, StatusCode.InvalidArgument, "hello.boot: boots are counted from 1.");
        yield return (hello => hello.Conduits.Add((Conduit)5), StatusCode.InvalidArgument, "hello.conduits: 5 is no value this daemon knows.");
        yield return (hello => hello.Ram[0].Size = 0, StatusCode.InvalidArgument, "hello.ram: 0x0 bytes at 0x40000000");
        yield return (hello => hello.Ram[0].Size = ulong.MaxValue, StatusCode.InvalidArgument, "hello.ram:");
        yield return (hello => hello.Interrupts.Add(new InterruptRange { First = 9, Last = 8 }), StatusCode.InvalidArgument, "hello.interrupts: 9 to 8 runs backwards.");
    }

    private async Task<Status> RefusedAsync(HelloMessage hello)
    {
        using var attach = daemon.Hypercalls.Attach();
        await attach.RequestStream.TryWriteAsync(new() { Hello = hello });
        return await StatusAsync(attach);
    }

    private static async Task<Status> StatusAsync(AsyncDuplexStreamingCall<HostMessage, DaemonMessage> attach) =>
        (await Assert.ThrowsAsync<RpcException>(() => attach.ResponseStream.MoveNext().Soon())).Status;

    private static void Refused(Status status, StatusCode code, string sentence)
    {
        Assert.Contains(sentence, status.Detail, StringComparison.Ordinal);
        Assert.Equal(code, status.StatusCode);
    }
}
