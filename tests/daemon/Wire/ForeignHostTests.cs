using Hypercalls.Tests.Client.Cli;
using Hypercalls.Tests.Daemon.Hosting;
using Hypercalls.Tests.Protos.Grpc;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>A vCPU host that shares no code with this repository but the .proto file.</summary>
public sealed class ForeignHostTests(TestDaemon daemon, TlsDaemon tls) : IClassFixture<TestDaemon>, IClassFixture<TlsDaemon>
{
    private const string Printed =
        """
        call PSCI PSCI_VERSION 0x10003
        refused INVALID_ARGUMENT name: no table knows CPU_OM. Did you mean CPU_ON
        exit 0x10003
        exit 0 power on 1 0x40080000 7
        exits 1002
        """;

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public async Task Gets_the_values_that_the_tool_gets()
    {
        using var stubs = new Python();
        await stubs.MakeStubsAsync("hypercalls.proto");
        using var python = stubs.Start("wire_client.py", "unix:" + daemon.Socket);
        var (code, output) = await Python.EndAsync(python);
        Assert.Equal(Printed, output);
        Assert.Equal(0, code);
        var tool = await Tool.RunAsync("call", "PSCI_VERSION", "--daemon", daemon.Socket);
        Assert.StartsWith("PSCI_VERSION (0x8400_0000) = 0x10003   by PSCI", tool.Output, StringComparison.Ordinal);
    }

    [NeedsFact(Python.Interpreter, Python.Grpcio, Python.Protobuf, Python.Protoc, Python.Plugin)]
    public async Task Gets_them_over_TLS_too()
    {
        using var stubs = new Python();
        await stubs.MakeStubsAsync("hypercalls.proto");
        using var python = stubs.Start("wire_client.py", $"127.0.0.1:{tls.Daemon.Tcp.Port}", tls.FolderOf(TlsDaemon.Host("python")));
        var (code, output) = await Python.EndAsync(python);
        Assert.Equal(Printed, output);
        Assert.Equal(0, code);
    }
}
