using Hypercalls.Bench.Guests;
using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.Processes;
using Hypercalls.RealKernels;

namespace Hypercalls.Bench.Rows;

/// <summary>
/// Calls of a guest on KVM: handled in the kernel, answered on the spot by the process that runs the vCPU, answered by the daemon. The CPU below that KVM is emulated, so
/// the figures are the ratios, and the ioctls.
/// </summary>
internal static class KvmCalls
{
    private const double IoctlsAtMost = 11;

    public static void Measure(Run run)
    {
        if (RealKernel.Debian13.Missing is { } why)
        {
            throw new BenchException(why);
        }
        var folder = Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;
        try
        {
            run.Say("a guest's calls on KVM in an emulated machine");
            var image = GuestImage.Build(folder, "kvm_calls", $"-DEXPECTED={PsciVersionCall.Version}");
            using var daemon = DaemonProcess.Start();
            var (smc, hvc) = KvmGuest.Run(RealKernel.Debian13, daemon.Address, image, run.Times);
            Add(run, "SMC", smc);
            Add(run, "HVC", hvc);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Add(Run run, string conduit, CallTimes calls)
    {
        var (kernel, spot, daemon) = (calls.Kernel, calls.OnTheSpot, calls.Daemon);
        run.Add(
            Time("handled in the kernel", "p50", kernel.P50),
            Time("handled in the kernel", "p99", kernel.P99),
            Time("answered on the spot", "p50", spot.P50, new(kernel.P50, "in the kernel")),
            Time("answered on the spot", "p99", spot.P99, new(kernel.P99, "in the kernel")),
            Time("answered by the daemon", "p50", daemon.P50, new(spot.P50, "on the spot")),
            Time("answered by the daemon", "p99", daemon.P99, new(spot.P99, "on the spot")),
            Ratio("daemon beside on the spot", daemon.P50 / spot.P50),
            Ratio("on the spot beside in the kernel", spot.P50 / kernel.P50),
            Ratio("daemon beside in the kernel", daemon.P50 / kernel.P50),
            Ioctls("x0", calls.IoctlsOfOne),
            Ioctls("x0 to x3", calls.IoctlsOfFour));

        Figure Time(string which, string what, double value, Limit? limit = null) => new("kvm", $"{conduit} {which}, CPU emulated: {what}", value, Unit.Microseconds) { Limit = limit };
        Figure Ratio(string what, double value) => new("kvm", $"{conduit}: p50 {what}", value, Unit.Times);
        Figure Ioctls(string changed, double value) => new("kvm", $"{conduit} that changes {changed}: ioctls, KVM_RUN included", value, Unit.Ioctls) { AtMost = IoctlsAtMost };
    }
}
