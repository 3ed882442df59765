namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>What the kernel answers where no filter takes it (Linux, arch/arm64/kvm/psci.c and hypercalls.c): the part that tests need.</summary>
internal static class KernelPsci
{
    private const ulong InternalFailure = ulong.MaxValue - 5;
    private const ulong AlreadyOn = ulong.MaxValue - 3;
    private const ulong InvalidParameters = ulong.MaxValue - 1;

    private const uint Shutdown = 1;
    private const uint Reset = 2;

    public static Done Answer(FakeVcpu cpu, uint function)
    {
        switch (function)
        {
            case 0x8000_0000: // SMCCC_VERSION
            case 0x8400_0000: // PSCI_VERSION
                cpu.SetResults(0x1_0001);
                return Done.GoesOn;
            case 0x8400_0002: // CPU_OFF
                cpu.Stop();
                return Done.GoesOn;
            case 0x8400_0003 or 0xc400_0003: // CPU_ON
                cpu.SetResults(On(cpu));
                return Done.GoesOn;
            case 0x8400_0008: // SYSTEM_OFF
                return End(cpu, Shutdown, 0);
            case 0x8400_0009: // SYSTEM_RESET
                return End(cpu, Reset, 0);
            case 0x8400_0012 or 0xc400_0012: // SYSTEM_RESET2
                return End(cpu, Reset, 1);
            default:
                cpu.SetResults(ulong.MaxValue);
                return Done.GoesOn;
        }
    }

    private static ulong On(FakeVcpu cpu)
    {
        var (target, entry, context) = (cpu.X(1), cpu.X(2), cpu.X(3));
        return cpu.Vm.Vcpus.FirstOrDefault(other => (ulong)other.Number == target) is not { } found ? InvalidParameters
            : found.TrySwitchOn(entry, context) ? 0
            : AlreadyOn;
    }

    // x0 is preloaded, and every vCPU is stopped.
    private static Done End(FakeVcpu cpu, uint type, ulong flags)
    {
        cpu.SetResults(InternalFailure);
        foreach (var vcpu in cpu.Vm.Vcpus)
        {
            vcpu.Stop();
        }
        FakePage.SystemEvent(cpu.Page.Bytes, type, [flags]);
        return Done.Exits;
    }
}
