using Hypercalls.Kvm.Native;

namespace Hypercalls.Kvm.Interface;

/// <summary>/dev/kvm by ioctls, of this machine's kernel or of one that an agent calls.</summary>
internal sealed class Kvm : IKvm
{
    private const string Path = "/dev/kvm";
    private const string Arm64 = "aarch64";
    private const int ApiVersion = 12;
    private const int DefaultIpaBits = 40;

    private readonly IKernel _kernel;
    private readonly int _runSize;
    private int _descriptor;

    private Kvm(IKernel kernel, int descriptor, int runSize) => (_kernel, _descriptor, _runSize) = (kernel, descriptor, runSize);

    public string Release => _kernel.Release;

    // Some CPUs have fewer than KVM's default; more than that no machine here needs.
    public int AddressBits => Extension(KvmCapability.ArmVmIpaSize) is > 0 and < DefaultIpaBits and var bits ? bits : DefaultIpaBits;

    /// <summary>Opens it; the kernel stays the caller's.</summary>
    public static Kvm Open(IKernel kernel)
    {
        var descriptor = kernel.Open(Path);
        if (descriptor < 0)
        {
            throw new KvmException(Refusal(-descriptor, kernel.Architecture), -descriptor);
        }
        try
        {
            var version = KvmException.Check($"{Path} does not answer as KVM does", kernel.Control(descriptor, KvmIoctl.GetApiVersion, 0));
            if (version != ApiVersion)
            {
                throw new KvmException($"{Path} speaks version {version} of its interface; this host speaks {ApiVersion}.", 0);
            }
            if (kernel.Control(descriptor, KvmIoctl.CheckExtension, (ulong)KvmCapability.ArmPsci02) <= 0)
            {
                throw new KvmException($"{Path} runs no arm64 guests here ({kernel.Architecture}): use an arm64 machine, or run without --accel kvm, which emulates one.", 0);
            }
            var runSize = KvmException.Check("KVM does not tell the size of kvm_run", kernel.Control(descriptor, KvmIoctl.GetVcpuMmapSize, 0));
            return runSize >= RunPage.Size ? new(kernel, descriptor, runSize) : throw new KvmException($"kvm_run has {runSize} bytes: too few.", 0);
        }
        catch
        {
            _ = kernel.Close(descriptor);
            throw;
        }
    }

    public int Extension(KvmCapability capability) => Math.Max(0, _kernel.Control(_descriptor, KvmIoctl.CheckExtension, (ulong)capability));

    public IKvmVm CreateVm()
    {
        var type = AddressBits is < DefaultIpaBits and var bits ? (ulong)bits : 0;
        return new KvmVm(_kernel, KvmException.Check("KVM makes no machine", _kernel.Control(_descriptor, KvmIoctl.CreateVm, type)), _runSize);
    }

    public IKernelMemory Map(ulong size) => _kernel.Map(size);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _descriptor, -1) is >= 0 and var descriptor)
        {
            _ = _kernel.Close(descriptor);
        }
    }

    private static string Refusal(int errno, string architecture) => errno switch
    {
        Errno.Enoent or Errno.Enodev or Errno.Enxio when architecture != Arm64 =>
            $"There is no {Path} ({Errno.Text(errno)}), and this is no arm64 machine ({architecture}): use one, or run without --accel kvm, which emulates it.",
        Errno.Enoent or Errno.Enodev or Errno.Enxio =>
            $"There is no {Path} ({Errno.Text(errno)}): this kernel has no KVM, or the machine no EL2. Run without --accel kvm, which emulates the machine.",
        // Of a device, files' modes say EACCES.
        Errno.Eperm => $"{Path} is forbidden to the container or sandbox of this process ({Errno.Text(errno)}): give it the device, such as by `docker run --device {Path}`, or run without --accel kvm, which emulates the machine.",
        Errno.Eacces => $"{Path} may not be opened by this user ({Errno.Text(errno)}): join its group, on Debian by `adduser {Environment.UserName} kvm`, and log in again.",
        _ => $"{Path} does not open: {Errno.Text(errno)}.",
    };
}
