using System.Diagnostics;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;
using Hypercalls.Tests.Protos.Grpc;

namespace Hypercalls.Tests.Client.Examples;

/// <summary>The vCPU hosts that authors begin with, as their README runs them.</summary>
public sealed class ExampleHostTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const string Printed =
        """
        core 0: PSCI 1.3
        host: core 1 starts at 0x40001000
        core 1: started with 7
        host: core 1 is off
        core 0: AFFINITY_INFO of core 1 is 1
        host: system event Shutdown
        """;

    [Fact]
    public Task The_one_in_CSharp_starts_a_core_and_ends_with_its_guest() =>
        RunsAsync("dotnet", Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Examples.Host", "release", "Hypercalls.Examples.Host.dll"));

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public Task The_one_in_Python_does_the_same() => RunsAsync("sh", GuestImages.Source("client/examples/python/run.sh"));

    private async Task RunsAsync(string program, string file)
    {
        using var host = Process.Start(new ProcessStartInfo(program, [file, "unix:" + daemon.Socket]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Assert.Equal((0, Printed), await Python.EndAsync(host));
        var machines = await daemon.Operator.ListMachinesAsync(new());
        Assert.DoesNotContain(machines.Machines, machine => machine.Name.StartsWith("toy-", StringComparison.Ordinal));
    }
}
