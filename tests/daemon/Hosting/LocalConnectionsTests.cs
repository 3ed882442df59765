using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Tests.Daemon.Wire;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>Who is let in on this machine, and what its tokens are bound to.</summary>
public sealed class LocalConnectionsTests : IAsyncLifetime
{
    private const string Python = "/usr/bin/python3";

    private readonly TestDaemon _daemon = new(options => options.Listen = "127.0.0.1:0");

    public Task InitializeAsync() => _daemon.InitializeAsync();

    public Task DisposeAsync() => _daemon.DisposeAsync();

    [RootFact("setpriv", Python)]
    public async Task Another_user_is_refused_even_where_the_file_system_lets_them_in()
    {
        foreach (var path in (string[])[Path.GetDirectoryName(_daemon.Socket)!, _daemon.Socket])
        {
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
        }

        const string Connect = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(len(s.recv(100)))";
        using var other = Process.Start(new ProcessStartInfo("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", Python, "-c", Connect, _daemon.Socket])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, errors) = (other.StandardOutput.ReadToEndAsync(), other.StandardError.ReadToEndAsync());
        await other.WaitForExitAsync().Soon();
        Assert.Equal("Refused: user 65534: the local socket is for user 0 and root", await _daemon.SaysAsync("Refused: user"));
        // The connection ends without a byte, in order or by a reset.
        Assert.True(await output == "0\n" || (await errors).Contains("ConnectionResetError", StringComparison.Ordinal), await output + await errors);
        Assert.Empty((await _daemon.Operator.ListMachinesAsync(new())).Machines);
    }

    [Fact]
    public async Task A_token_stays_on_the_way_by_which_it_was_got()
    {
        using var channel = HttpChannel.ForAddress(_daemon.Tcp);
        foreach (var (owner, thief, name) in ((CallInvoker, CallInvoker, string)[])[
            (_daemon.Invoker, channel.CreateCallInvoker(), "a process of this machine"),
            (channel.CreateCallInvoker(), _daemon.Invoker, $"user {LocalSocket.User}")])
        {
            await using var host = await AttachAsync(owner, Greeting("local"));
            using var stream = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(thief).RunVcpu();
            await stream.RequestStream.TryWriteAsync(new() { Open = new() { Token = host.Welcome.Token, Mpidr = 0 } });
            var refusal = await Assert.ThrowsAsync<RpcException>(() => stream.ResponseStream.MoveNext().Soon());
            Assert.Equal((StatusCode.PermissionDenied, $"open.token: {name} presents a token that was given to somebody else."), (refusal.StatusCode, refusal.Status.Detail));
            await _daemon.SaysAsync($"Refused: {refusal.Status.Detail}");
            using var vcpu = await host.OpenAsync(0);
            Assert.Equal(0x1_0003ul, (await vcpu.ForwardAsync(Call(0x8400_0000, 1))).Values.X0);
            await host.SayAsync(new() { Detach = new() { Reason = "done" } });
            Assert.False(await host.Attach.ResponseStream.MoveNext().Soon());
        }
    }
}
