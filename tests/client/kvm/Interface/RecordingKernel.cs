using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Interface;

/// <summary>A kernel that writes down every call, and answers what the test says.</summary>
internal sealed class RecordingKernel : IKernel
{
    /// <summary>"open /dev/kvm", "close 3", "3 ae01 0", "4 4018aee1 … -> …": the bytes of structures, and of what they point to, in hexadecimal.</summary>
    public List<string> Calls { get; } = [];

    public Func<uint, int> Answers { get; init; } = request => request switch
    {
        KvmIoctl.GetApiVersion => 12,
        KvmIoctl.CheckExtension => 1,
        KvmIoctl.GetVcpuMmapSize => 8192,
        KvmIoctl.CreateVm => 4,
        _ => 0,
    };

    public int Opens { get; init; } = 3;

    public string Release => "6.12.0";

    public string Architecture { get; init; } = "aarch64";

    public int Open(string path)
    {
        Calls.Add($"open {path}");
        return Opens;
    }

    public int Close(int descriptor)
    {
        Calls.Add($"close {descriptor}");
        return 0;
    }

    public int Control(int descriptor, uint request, ulong argument)
    {
        Calls.Add($"{descriptor} {request:x} {argument:x}");
        return Answers(request);
    }

    public int Control(int descriptor, uint request, Span<byte> argument)
    {
        Calls.Add($"{descriptor} {request:x} {Convert.ToHexStringLower(argument)}");
        if (request == KvmIoctl.CreateDevice)
        {
            argument[4] = 9;
        }
        return Answers(request);
    }

    public int Control(int descriptor, uint request, Span<byte> argument, int addressAt, Span<byte> pointedTo)
    {
        Calls.Add($"{descriptor} {request:x} {Convert.ToHexStringLower(argument)} @{addressAt} {Convert.ToHexStringLower(pointedTo)}");
        return Answers(request);
    }

    public IKernelMemory Map(ulong size) => new LinuxMemory(size);

    public IKernelVcpu OpenVcpu(int descriptor, int runSize) => throw new InvalidOperationException("No test of it makes one.");

    public void Dispose() => Calls.Add("end");
}
