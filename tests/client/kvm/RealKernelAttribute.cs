using Hypercalls.RealKernels;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>A fact about real kernels: skipped, with the reason, where one of them or what boots it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealKernelFactAttribute : FactAttribute
{
    /// <param name="roles">"6.1", "6.12", "7.x".</param>
    public RealKernelFactAttribute(params string[] roles) => Skip = RealKernelNeeds.Missing(roles)!;
}

/// <summary>A theory about real kernels: skipped, with the reason, where one of them or what boots it is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealKernelTheoryAttribute : TheoryAttribute
{
    /// <param name="roles">"6.1", "6.12", "7.x".</param>
    public RealKernelTheoryAttribute(params string[] roles) => Skip = RealKernelNeeds.Missing(roles)!;
}

/// <summary>What a real kernel needs to be booted.</summary>
internal static class RealKernelNeeds
{
    /// <summary>The reason to skip a test, null where everything is there.</summary>
    public static string? Missing(params string[] roles) =>
        Needs.Missing("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "/usr/aarch64-linux-gnu/lib/libc.a")
        ?? roles.Select(role => new RealKernel(role).Missing).FirstOrDefault(missing => missing is not null);
}
