using Hypercalls.Kvm;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Kvm;

[Collection(QemuMachines.Name)]
public sealed class ExploreTests(GuestImages guests, BootedKernels kernels)
{
    [Theory]
    [InlineData("calls", 1, false)]
    [InlineData("attention", 2, true)]
    [InlineData("reset", 2, false)]
    
    
    
    
    [InlineData("calls32", 1, false)]
    [InlineData("cores32", 2, false)]
    [InlineData("attention32", 2, true)]
    public void Explore(string guest, int cores, bool forgets)
    {
        var is32 = guest.EndsWith("32", StringComparison.Ordinal);
        var run = GuestRun.Of(
            new KvmOptions { Kernel = is32 ? guests.AArch32(guest[..^2]) : guests[guest], KernelIsRaw = is32, KernelIsAArch32 = is32, Cores = cores, MemoryMiB = 512 },
            options => KvmMachine.Start((KvmOptions)options, new RemoteKernel(kernels["6.12"])),
            (machine, console) => _ = Task.Delay(60000).ContinueWith(_ => machine.Stop(), TaskScheduler.Default),
            forgets);
        File.WriteAllText($"/tmp/ex-{guest}.txt", run.Console + "\n" + run.End + "\n" + string.Join("\n", run.Log) + "\nTOLD " + string.Join(" ", run.Responder.Told.Take(20)) + "\nEXITS " + run.Responder.Exits.Count + "\n" + string.Join("\n", run.Responder.Exits.TakeLast(4)));
    }

    [Theory]
    [InlineData("sdei", 2)]
    [InlineData("sdei_power", 2)]
    [InlineData("power", 4)]
    public async Task Sdei(string guest, int cores)
    {
        var daemon = new TestDaemon("psci", "sdei", "trials");
        await daemon.InitializeAsync();
        var run = await DaemonRun.OfAsync(daemon, kernels["6.12"], new KvmOptions { Kernel = guests[guest], Cores = cores, MemoryMiB = 64 });
        await daemon.DisposeAsync();
        await File.WriteAllTextAsync($"/tmp/ex-{guest}.txt", run.Output + run.ExitCode + run.Calls);
    }
}
