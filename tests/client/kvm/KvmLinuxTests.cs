using Hypercalls.Daemon.Hosting;
using Hypercalls.Hosts.Loading;
using Hypercalls.Kvm;
using Hypercalls.Protos;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Unmodified Debian kernels as guests of a real kernel's KVM.</summary>
[Collection(QemuMachines.Name)]
public sealed class KvmLinuxTests(BootedKernels kernels) : IDisposable
{
    private readonly string _folder = GuestImages.Run("tests/kernels/Init/build.sh");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12", Conduit.Smc)]
    [InlineData("7.x", Conduit.Hvc)]
    public async Task Linux_boots_with_the_daemons_services_turns_its_cores_off_and_on_and_reboots(string role, Conduit conduit)
    {
        var (run, reports) = await RunAsync(["psci", "smccc", "sdei", "trng"], role, new() { Kernel = "", Conduit = conduit, CommandLine = "console=ttyAMA0 quiet rounds=3" }, "reboot", "poweroff");
        string[] said = ["guest: psci: PSCIv1.3 detected in firmware.", "guest: sdei: SDEIv1.1 (0x0) detected in firmware.", "guest: cores 0-1 are online"];
        Assert.Equal([.. said, .. said], run.Said.Where(line => said.Contains(line)));
        Assert.DoesNotContain(run.Said, line => line.Contains("cpu", StringComparison.Ordinal)); // what fails is said with its path
        // At each boot the second core starts; then each goes and comes three times.
        Assert.Matches(@"\| CPU_ON +\| 14 .*\| SUCCESS 14× +\|", run.Calls);
        Assert.Matches(@"\| CPU_OFF +\| 12 ", run.Calls);
        Assert.Matches(@"\| SYSTEM_RESET +\| 1 ", run.Calls);
        Assert.Matches(@"\| SYSTEM_OFF +\| 1 ", run.Calls);
        Assert.Empty(reports);
        Assert.Equal(0, run.ExitCode);
    }

    [RealKernelFact("6.12")]
    public async Task Linux_boots_with_the_kernels_own_Psci_whose_system_events_are_applied_and_reported()
    {
        var (run, reports) = await RunAsync(["psci", "smccc", "trng"], "6.12", new() { Kernel = "", Psci = PsciOwner.Kernel, CommandLine = "console=ttyAMA0 quiet rounds=1" }, "reboot", "poweroff");
        Assert.Equal(2, run.Said.Count(line => line == "guest: cores 0-1 are online"));
        Assert.DoesNotContain("CPU_ON", run.Calls, StringComparison.Ordinal);
        Assert.Contains("TRNG_RND", run.Calls, StringComparison.Ordinal);
        Assert.Equal(["Core 0: system event 2, data [0x0].", "Core 0: system event 1, data [0x0]."], reports);
        Assert.Equal(0, run.ExitCode);
    }

    /// <summary>The run, and what the daemon tells its operator of the machine.</summary>
    private async Task<(DaemonRun Run, string[] Reports)> RunAsync(string[] plugins, string role, KvmOptions options, params string[] answers)
    {
        var daemon = new TestDaemon(plugins);
        await daemon.InitializeAsync();
        try
        {
            var run = await DaemonRun.OfAsync(daemon, kernels[role], options with { Kernel = new RealKernel(role).Image, Initrd = Initrd(), Cores = 2, MemoryMiB = 256 }, answers);
            return (run, [.. daemon.Log.Where(entry => entry.Category == typeof(FaultReports).FullName).Select(entry => entry.Text[(entry.Text.IndexOf(": ", StringComparison.Ordinal) + 2)..])]);
        }
        finally
        {
            await daemon.DisposeAsync();
            Assert.Equal((0u, 0u, 0u), kernels[role].Leftovers());
        }
    }

    private string Initrd()
    {
        const uint Executable = 0b111_101_101;
        var archive = new InitramfsArchive();
        archive.AddFolder("dev", Executable);
        archive.AddFile("init", Executable, File.ReadAllBytes(Path.Combine(_folder, "init")));
        var path = Path.Combine(_folder, "initrd");
        File.WriteAllBytes(path, archive.ToGzip());
        return path;
    }
}
