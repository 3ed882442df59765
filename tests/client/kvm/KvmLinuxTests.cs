using Hypercalls.Kvm;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>An unmodified Debian kernel as a guest of a real kernel's KVM, its PSCI and SDEI from the daemon.</summary>
[Collection(QemuMachines.Name)]
public sealed class KvmLinuxTests(BootedKernels kernels) : IAsyncLifetime
{
    private readonly TestDaemon _daemon = new("psci", "smccc", "sdei", "trng");
    private readonly string _initrd = Path.Combine(GuestImages.Run("tests/kernels/Init/build.sh"), "guest-initrd.gz");

    public Task InitializeAsync() => _daemon.InitializeAsync();

    public async Task DisposeAsync()
    {
        await _daemon.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_initrd)!, recursive: true);
    }

    [RealKernelFact("6.12")]
    public async Task Linux_boots_to_its_init_with_the_daemons_Psci()
    {
        var run = await DaemonRun.OfAsync(_daemon, kernels["6.12"], Linux("6.12", cores: 2), "poweroff");
        Assert.Contains("guest: cores 0-1 are online", run.Said);
        Assert.Equal(0, run.ExitCode);
    }

    private KvmOptions Linux(string role, int cores) => new()
    {
        Kernel = new RealKernel(role).Image,
        Initrd = _initrd,
        CommandLine = "console=ttyAMA0 quiet",
        Cores = cores,
        MemoryMiB = 256,
        Conduit = Hypercalls.Protos.Conduit.Smc,
    };
}
