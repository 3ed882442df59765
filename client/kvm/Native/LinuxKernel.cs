using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Kvm.Native;

/// <summary>This machine's kernel.</summary>
/// <param name="library">The C library that the calls are made by.</param>
internal sealed unsafe class LinuxKernel(string library = LinuxCalls.GnuC) : IKernel
{
    public string Release { get; } = ReadRelease();

    public string Architecture { get; } = RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "aarch64" : RuntimeInformation.OSArchitecture.ToString();

    /// <exception cref="KvmException">No vCPU could be kicked by this C library.</exception>
    public int Open(string path) => LinuxCalls.TryFindKick(library, out _)
        ? LinuxCalls.Open(path)
        : throw new KvmException("client/kvm needs glibc 2.30 or newer, and this system's C library is another or older: use a system that has it, such as Debian, or run without --accel kvm, which emulates the machine.", 0);

    public int Close(int descriptor) => LinuxCalls.Close(descriptor);

    public int Control(int descriptor, uint request, ulong argument) => LinuxCalls.Control(descriptor, request, (nint)argument);

    public int Control(int descriptor, uint request, Span<byte> argument)
    {
        fixed (byte* start = argument)
        {
            return LinuxCalls.Control(descriptor, request, (nint)start);
        }
    }

    public int Control(int descriptor, uint request, Span<byte> argument, int addressAt, Span<byte> pointedTo)
    {
        fixed (byte* start = argument)
        {
            fixed (byte* pointed = pointedTo)
            {
                var address = (ulong)pointed;
                MemoryMarshal.Write(argument[addressAt..], in address);
                return LinuxCalls.Control(descriptor, request, (nint)start);
            }
        }
    }

    public IKernelMemory Map(ulong size) => new LinuxMemory(size);

    public IKernelVcpu OpenVcpu(int descriptor, int runSize) => new LinuxVcpu(descriptor, runSize);

    public void Dispose()
    {
        // Each descriptor and mapping is its owner's.
    }

    private static string ReadRelease()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        }
        catch (IOException)
        {
            return Environment.OSVersion.Version.ToString();
        }
    }
}
