using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;
using Hypercalls.Grpc;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Bench.Rows;

/// <summary>The stream of one vCPU over TCP on the loopback: in clear text, and with mutual TLS.</summary>
internal static class Remote
{
    private const string Host = "bench";

    public static void Measure(Run run)
    {
        var raw = run.Raw(1, isTcp: true);
        run.Say("TCP, 1 caller");
        var plain = Load(run, DaemonProcess.StartTcp(), null);
        var folder = Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;
        try
        {
            run.Say("mutual TLS, 1 caller");
            Built.Run(Built.StartTool("cert", "ca", "--dir", folder));
            Built.Run(Built.StartTool("cert", "daemon", "127.0.0.1", "--dir", folder));
            Built.Run(Built.StartTool("cert", "host", Host, "--dir", folder));
            var certificates = new CertificateFolder(Path.Combine(folder, $"host-{Host}"), isServer: false, _ => { }, run.Say);
            var secure = Load(run, DaemonProcess.StartTcp(Path.Combine(folder, "daemon")), new() { Tls = () => certificates.Current.ForClient() });
            run.Add("tcp", "stream over TCP, 1 caller", plain, raw, "raw TCP socket");
            run.Add("tcp", "stream over mutual TLS, 1 caller", secure, plain, "plain TCP");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static LoadResult Load(Run run, DaemonProcess daemon, HttpChannelOptions? options)
    {
        using (daemon)
        {
            using var machine = AttachedMachine.Attach(daemon.Address, 1, Host, options);
            return ClosedLoop.Run(machine.Streams(1), run.Times, daemon);
        }
    }
}
