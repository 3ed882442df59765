using System.Text;
using Grpc.Core;
using Hypercalls.Bench.Load;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.RealKernels;

namespace Hypercalls.Bench.Guests;

/// <summary>A guest on KVM whose vCPU host is this process, by the library that `hypercalls run --accel kvm` uses. The kernel with that KVM runs in QEMU.</summary>
internal static class KvmGuest
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Runs it to its end.</summary>
    /// <returns>What it told of its calls.</returns>
    /// <exception cref="BenchException">There is no such kernel here, or the guest did not get to its end.</exception>
    public static (CallTimes Smc, CallTimes Hvc) Run(RealKernel kernel, GrpcAddress daemon, string image, Times times)
    {
        try
        {
            using var host = new Computer(kernel);
            return RunAsync(host.Machine, daemon, image, times).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is HostException or RealKernelException or RpcException)
        {
            throw new BenchException(e.Message);
        }
    }

    private static async Task<(CallTimes Smc, CallTimes Hvc)> RunAsync(RealMachine computer, GrpcAddress daemon, string image, Times times)
    {
        var (smc, hvc) = (new CallTimes(times), new CallTimes(times));
        using var console = new MemoryStream();
        using var channel = HttpChannel.ForAddress(daemon);
        using var machine = KvmMachine.Start(new() { Kernel = image, Cores = 1, MemoryMiB = 64, Console = console }, new RemoteKernel(computer));
        var boot = machine.WaitForBoot();
        await using var session = await MachineSession.AttachAsync(channel.CreateCallInvoker(), GuestMachine.Hello(boot), boot.Kernel, machine.AttentionWanted);
        using var watchdog = new Timer(_ => machine.Stop(), null, s_patience + (2 * (times.WarmUp + times.Measure)), Timeout.InfiniteTimeSpan);
        var end = machine.Run(boot, session.Accepted.DeviceTree, mpidr => new MeteredVcpu(session.OpenVcpu(mpidr), () => machine.Ioctls, smc, hvc), session);
        return end is MachineEnd.PoweredOff ? (smc, hvc) : throw new BenchException($"The guest on KVM: {end} {Encoding.UTF8.GetString(console.ToArray())}".TrimEnd());
    }

    /// <summary>What the kernel runs on.</summary>
    private sealed class Computer : IDisposable
    {
        private const int MemoryMiB = 512;
        private int _isDisposed;

        public Computer(RealKernel kernel)
        {
            Machine = RealMachine.Boot(kernel, memoryMiB: MemoryMiB);
            // A QEMU outlives its host unless it is told.
            AppDomain.CurrentDomain.ProcessExit += Stop;
        }

        public RealMachine Machine { get; }

        public void Dispose()
        {
            AppDomain.CurrentDomain.ProcessExit -= Stop;
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                Machine.Dispose();
            }
        }

        private void Stop(object? sender, EventArgs e) => Dispose();
    }
}
