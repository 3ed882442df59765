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
        core 0: CPU_SUSPEND gives -1
        core 0: CPU_ON at 0x40002000 gives -6, then AFFINITY_INFO 1
        core 1: started with 7
        core 0: CPU_ON at 0x40001000 gives 0, then AFFINITY_INFO 1
        host: system event
        """;

    [Fact]
    public Task The_one_in_CSharp_falls_back_refuses_a_core_starts_it_and_ends_with_its_guest() =>
        RunsAsync("dotnet", Path.Combine(TestDaemon.Artifacts, "bin", "Hypercalls.Examples.Host", "release", "Hypercalls.Examples.Host.dll"), "Shutdown");

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public Task The_one_in_Python_does_the_same() => RunsAsync("sh", GuestImages.Source("client/examples/python/run.sh"), "SYSTEM_EVENT_TYPE_SHUTDOWN");

    private async Task RunsAsync(string program, string file, string end)
    {
        daemon.Log.Clear();
        using var host = Process.Start(new ProcessStartInfo(program, [file, "unix:" + daemon.Socket]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Assert.Equal((0, $"{Printed} {end}"), await Python.EndAsync(host));
        // CPU_SUSPEND, which these hosts cannot apply.
        await daemon.SaysAsync(", 1 fallbacks, 0 failures");
        var machines = await daemon.Operator.ListMachinesAsync(new());
        Assert.DoesNotContain(machines.Machines, machine => machine.Name.StartsWith("toy-", StringComparison.Ordinal));
    }
}
