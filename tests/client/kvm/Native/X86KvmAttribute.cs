using System.Runtime.InteropServices;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Native;

/// <summary>A fact about this machine's own KVM where it is x86's: what a kick does is the same on every architecture. Skipped, with the reason, elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class X86KvmFactAttribute : FactAttribute
{
    public X86KvmFactAttribute() => Skip = Missing()!;

    private static string? Missing()
    {
        if (RuntimeInformation.OSArchitecture != Architecture.X64)
        {
            return $"The guest of this test is x86's; this machine is {RuntimeInformation.OSArchitecture}.";
        }
        var kvm = LinuxCalls.Open("/dev/kvm");
        if (kvm >= 0)
        {
            _ = LinuxCalls.Close(kvm);
            return null;
        }
        return $"/dev/kvm does not open here: {Errno.Text(-kvm)}.";
    }
}
