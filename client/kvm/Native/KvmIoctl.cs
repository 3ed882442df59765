namespace Hypercalls.Kvm.Native;

/// <summary>The ioctls of KVM (Linux, include/uapi/linux/kvm.h), with the sizes of arm64's structures in them.</summary>
internal static class KvmIoctl
{
    // Of /dev/kvm.
    public const uint GetApiVersion = 0xae00;
    public const uint CreateVm = 0xae01;
    public const uint CheckExtension = 0xae03;
    public const uint GetVcpuMmapSize = 0xae04;

    // Of a machine.
    public const uint CreateVcpu = 0xae41;
    public const uint SetUserMemoryRegion = 0x4020_ae46;
    public const uint IrqLine = 0x4008_ae61;
    public const uint EnableCap = 0x4068_aea3;
    public const uint ArmPreferredTarget = 0x8020_aeaf;
    public const uint CreateDevice = 0xc00c_aee0;

    // Of a machine or of a device.
    public const uint SetDeviceAttr = 0x4018_aee1;
    public const uint GetDeviceAttr = 0x4018_aee2;
    public const uint HasDeviceAttr = 0x4018_aee3;

    // Of a vCPU.
    public const uint Run = 0xae80;
    public const uint GetMpState = 0x8004_ae98;
    public const uint SetMpState = 0x4004_ae99;
    public const uint SetGuestDebug = 0x4208_ae9b;
    public const uint GetOneReg = 0x4010_aeab;
    public const uint SetOneReg = 0x4010_aeac;
    public const uint ArmVcpuInit = 0x4020_aeae;
    public const uint GetRegList = 0xc008_aeb0;
}
