namespace Hypercalls.Tests.Psci;

/// <summary>SMC32 identifiers (DEN0022, Functions); an SMC64 one has bit 30 set too.</summary>
internal static class Ids
{
    public const uint Smc64 = 0x4000_0000;

    public const uint PsciVersion = 0x8400_0000;
    public const uint CpuSuspend = 0x8400_0001;
    public const uint CpuOff = 0x8400_0002;
    public const uint CpuOn = 0x8400_0003;
    public const uint AffinityInfo = 0x8400_0004;
    public const uint MigrateInfoType = 0x8400_0006;
    public const uint SystemOff = 0x8400_0008;
    public const uint SystemReset = 0x8400_0009;
    public const uint PsciFeatures = 0x8400_000A;
    public const uint CpuFreeze = 0x8400_000B;
    public const uint CpuDefaultSuspend = 0x8400_000C;
    public const uint NodeHwState = 0x8400_000D;
    public const uint SystemSuspend = 0x8400_000E;
    public const uint SetSuspendMode = 0x8400_000F;
    public const uint StatResidency = 0x8400_0010;
    public const uint StatCount = 0x8400_0011;
    public const uint SystemReset2 = 0x8400_0012;
    public const uint MemProtect = 0x8400_0013;
    public const uint MemProtectCheckRange = 0x8400_0014;
    public const uint SystemOff2 = 0x8400_0015;
}
