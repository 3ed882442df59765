using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Cli;

namespace Hypercalls.Tests.Daemon.Hosting;

/// <summary>The daemon's executable: what it refuses to start with, and how it stops.</summary>
public sealed class DaemonProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    private string Socket => Path.Combine(_folder, "daemon.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Two_plugins_that_claim_one_ID_are_no_start_and_one_sentence()
    {
        var daemon = await DaemonAsync("--plugins", TestDaemon.PluginFolder(_folder, "hello", "twin"));
        Assert.Equal(
            (2, "0xC200_0001 is claimed by HELLO (HELLO_ADD) and by TWIN (TWIN_ADD). Remove one of the two from the plugin folder.\n"),
            (daemon.ExitCode, daemon.Errors));
    }

    [Fact]
    public async Task An_unreadable_plugin_is_no_start_unless_asked_to_keep_going()
    {
        var plugins = TestDaemon.PluginFolder(_folder, "psci");
        var broken = Directory.CreateDirectory(Path.Combine(plugins, "broken")).FullName;
        await File.WriteAllTextAsync(Path.Combine(broken, "Broken.dll"), "no assembly");
        await File.WriteAllTextAsync(Path.Combine(broken, "Broken.deps.json"), "{}");
        var refused = await DaemonAsync("--plugins", plugins);
        Assert.Equal(2, refused.ExitCode);
        Assert.StartsWith($"{broken}: It cannot be loaded: ", refused.Errors, StringComparison.Ordinal);
        Assert.EndsWith("Mend or remove it, or start with --keep-going.\n", refused.Errors, StringComparison.Ordinal);

        using var daemon = Start("--plugins", plugins, "--keep-going");
        using var channel = await ConnectAsync(daemon);
        var services = await new Operator.OperatorClient(channel).ListServicesAsync(new());
        Assert.Equal(
            [("broken", false), ("PSCI", true)],
            services.Services.Select(service => (service.Name, service.Failure.Length == 0)).OrderBy(service => service.Item2));
        Assert.Equal(0, await StopAsync(daemon));
    }

    [Theory]
    [InlineData("--listen 0.0.0.0:7433", "--listen 0.0.0.0:7433 would be reachable from other machines")]
    [InlineData("--listen nowhere", "--listen nowhere is no address with a port")]
    [InlineData("--plugins /nonexistent/plugins", "The plugin folder /nonexistent/plugins does not exist.")]
    [InlineData("--socket /nonexistent/daemon.sock", "The folder of the socket /nonexistent/daemon.sock does not exist.")]
    [InlineData("--socket /dev/null", "/dev/null is in the way and is no socket.")]
    public async Task A_wrong_setting_is_no_start_and_one_sentence(string arguments, string sentence)
    {
        var plugins = arguments.StartsWith("--plugins", StringComparison.Ordinal) ? [] : (string[])["--plugins", TestDaemon.PluginFolder(_folder, "psci")];
        var daemon = await Tool.RunAsync(["daemon", .. arguments.Split(' '), .. plugins, .. arguments.StartsWith("--socket", StringComparison.Ordinal) ? Array.Empty<string>() : ["--socket", Socket]]);
        Assert.Equal(2, daemon.ExitCode);
        Assert.StartsWith(sentence, daemon.Errors, StringComparison.Ordinal);
        Assert.Single(daemon.Errors.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_socket_or_port_that_is_taken_is_no_start_and_one_sentence()
    {
        var plugins = TestDaemon.PluginFolder(_folder, "psci");
        using var first = Start("--plugins", plugins);
        using var channel = await ConnectAsync(first);
        var second = await DaemonAsync("--plugins", plugins);
        Assert.Equal(
            (2, $"A daemon already listens on {Socket}. Stop it, or choose another socket with --socket.\n"),
            (second.ExitCode, second.Errors));

        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var third = await Tool.RunAsync("daemon", "--plugins", plugins, "--socket", Socket + "2", "--listen", taken.LocalEndpoint.ToString()!);
        Assert.Equal(2, third.ExitCode);
        Assert.Contains("address already in use", third.Errors, StringComparison.Ordinal);
        Assert.Single(third.Errors.TrimEnd().Split('\n'));
        Assert.Equal(0, await StopAsync(first));
    }

    [Fact]
    public async Task A_stale_socket_is_replaced_and_SIGTERM_is_a_clean_stop_with_farewell()
    {
        var plugins = TestDaemon.PluginFolder(_folder, "psci");
        using (var dead = Start("--plugins", plugins))
        {
            using var unused = await ConnectAsync(dead);
            KillTree(dead);
            await dead.WaitForExitAsync();
        }

        Assert.True(File.Exists(Socket));
        using var daemon = Start("--plugins", plugins);
        using var channel = await ConnectAsync(daemon);
        using var attach = new global::Hypercalls.Protos.Hypercalls.HypercallsClient(channel).Attach();
        await attach.RequestStream.WriteAsync(new() { Hello = Wire.Host.Greeting("farewell") });
        Assert.True(await attach.ResponseStream.MoveNext().Soon());
        await attach.RequestStream.WriteAsync(new() { Ready = Wire.Host.AllForwarded() });
        Assert.True(await attach.ResponseStream.MoveNext().Soon());
        Assert.NotEmpty(attach.ResponseStream.Current.RangesChanged.Served);
        var stopped = StopAsync(daemon);
        Assert.True(await attach.ResponseStream.MoveNext().Soon());
        Assert.Equal("The daemon stops.", attach.ResponseStream.Current.Goodbye.Reason);
        Assert.False(await attach.ResponseStream.MoveNext().Soon());
        Assert.Equal(0, await stopped);
    }

    private Task<Tool> DaemonAsync(params string[] arguments) => Tool.RunAsync(["daemon", "--socket", Socket, .. arguments]);

    private Process Start(params string[] arguments) => Tool.Start(["daemon", "--socket", Socket, .. arguments]);

    private async Task<HttpChannel> ConnectAsync(Process daemon)
    {
        var channel = HttpChannel.ForAddress(GrpcAddress.Unix(Socket));
        while (true)
        {
            try
            {
                await new Operator.OperatorClient(channel).ListMachinesAsync(new());
                return channel;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && !daemon.HasExited)
            {
                await Task.Delay(20);
            }
        }
    }

    /// <summary>SIGTERM to the tool, which passes it on.</summary>
    private static async Task<int> StopAsync(Process daemon)
    {
        using var kill = Process.Start("kill", ["-TERM", daemon.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await daemon.WaitForExitAsync().Soon();
        return daemon.ExitCode;
    }

    private static void KillTree(Process daemon) => daemon.Kill(entireProcessTree: true);
}
