using System.Reflection;
using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Native;

/// <summary>Layouts and numbers as a program printed them that was compiled with the headers of Linux 7.2 for arm64.</summary>
public sealed class KvmStructuresTests
{
    // struct, size, then its fields and where they are
    public static TheoryData<Type, int, (string Field, int Offset)[]> Layouts => new()
    {
        { typeof(KvmOneReg), 16, [("Id", 0), ("Address", 8)] },
        { typeof(KvmVcpuInit), 32, [("Target", 0), ("Features", 4)] },
        { typeof(KvmSmcccFilter), 24, [("Base", 0), ("NrFunctions", 4), ("Action", 8), ("Pad", 9)] },
        { typeof(KvmDeviceAttr), 24, [("Flags", 0), ("Group", 4), ("Attr", 8), ("Address", 16)] },
        { typeof(KvmUserspaceMemoryRegion), 32, [("Slot", 0), ("Flags", 4), ("GuestPhysAddr", 8), ("MemorySize", 16), ("UserspaceAddr", 24)] },
        { typeof(KvmIrqLevel), 8, [("Irq", 0), ("Level", 4)] },
        { typeof(KvmCreateDevice), 12, [("Type", 0), ("Fd", 4), ("Flags", 8)] },
        { typeof(KvmEnableCap), 104, [("Cap", 0), ("Flags", 4), ("Args", 8), ("Pad", 40)] },
        { typeof(KvmGuestDebug), 520, [("Control", 0), ("Pad", 4), ("Arch", 8)] },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Are_laid_out_as_the_kernels(Type structure, int size, (string Field, int Offset)[] fields)
    {
        Assert.Equal(size, Marshal.SizeOf(structure));
        Assert.Equal(fields, structure.GetFields(BindingFlags.Public | BindingFlags.Instance).Select(field => (field.Name, (int)Marshal.OffsetOf(structure, field.Name))));
        // In memory as in marshalling: they are handed over as they stand.
        Assert.Equal(size, (int)typeof(KvmStructuresTests).GetMethod(nameof(SizeOf), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(structure).Invoke(null, null)!);
    }

    [Fact]
    public void Are_all_among_those_that_are_looked_at() =>
        Assert.Equal(
            typeof(KvmOneReg).Assembly.GetTypes().Where(type => type is { IsValueType: true, IsEnum: false, IsNested: false, Namespace: "Hypercalls.Kvm.Native", IsByRefLike: false }).Select(type => type.Name).Order(),
            Layouts.Select(row => ((Type)row[0]).Name).Order());

    [Fact]
    public void Hold_zero_where_nothing_was_put()
    {
        Assert.Equal([1, 2, 0, 0, 0, 0, 0, 0], Words(new KvmVcpuInit { Target = 1, Features = WithFirst(2) }));
        Assert.Equal([1, 2, 3, 0, 0, 0], Words(new KvmSmcccFilter { Base = 1, NrFunctions = 2, Action = 3 }));
        Assert.Equal([0, 7, 0, 0, 0, 0], Words(new KvmDeviceAttr { Group = 7 }));
        Assert.Equal([216, .. Enumerable.Repeat(0u, 25)], Words(new KvmEnableCap { Cap = 216 }));
        Assert.Equal([0x1_0001, .. Enumerable.Repeat(0u, 129)], Words(new KvmGuestDebug { Control = 0x1_0001 }));
        Assert.Equal([7, 0, 0], Words(new KvmCreateDevice { Type = 7 }));
        Assert.Equal([0, 0, 0x4000_0000, 0, 0x20_0000, 0, 0, 0], Words(new KvmUserspaceMemoryRegion { GuestPhysAddr = 0x4000_0000, MemorySize = 0x20_0000 }));
    }

    [Fact]
    public void Calls_have_the_kernels_numbers() =>
        Assert.Equal(
            new Dictionary<string, uint>
            {
                ["GetApiVersion"] = 0xae00,
                ["CreateVm"] = 0xae01,
                ["CheckExtension"] = 0xae03,
                ["GetVcpuMmapSize"] = 0xae04,
                ["CreateVcpu"] = 0xae41,
                ["SetUserMemoryRegion"] = 0x4020ae46,
                ["IrqLine"] = 0x4008ae61,
                ["Run"] = 0xae80,
                ["GetMpState"] = 0x8004ae98,
                ["SetMpState"] = 0x4004ae99,
                ["SetGuestDebug"] = 0x4208ae9b,
                ["EnableCap"] = 0x4068aea3,
                ["GetOneReg"] = 0x4010aeab,
                ["SetOneReg"] = 0x4010aeac,
                ["ArmVcpuInit"] = 0x4020aeae,
                ["ArmPreferredTarget"] = 0x8020aeaf,
                ["GetRegList"] = 0xc008aeb0,
                ["CreateDevice"] = 0xc00caee0,
                ["SetDeviceAttr"] = 0x4018aee1,
                ["GetDeviceAttr"] = 0x4018aee2,
                ["HasDeviceAttr"] = 0x4018aee3,
            }.OrderBy(pair => pair.Key),
            typeof(KvmIoctl).GetFields().Select(field => KeyValuePair.Create(field.Name, (uint)field.GetRawConstantValue()!)).OrderBy(pair => pair.Key));

    // The size of what a call takes stands in its number, bits 29:16.
    [Theory]
    [InlineData(KvmIoctl.SetUserMemoryRegion, 32)]
    [InlineData(KvmIoctl.IrqLine, 8)]
    [InlineData(KvmIoctl.SetGuestDebug, 520)]
    [InlineData(KvmIoctl.EnableCap, 104)]
    [InlineData(KvmIoctl.SetOneReg, 16)]
    [InlineData(KvmIoctl.ArmVcpuInit, 32)]
    [InlineData(KvmIoctl.CreateDevice, 12)]
    [InlineData(KvmIoctl.SetDeviceAttr, 24)]
    public void Calls_carry_the_size_of_their_structure(uint call, int size) => Assert.Equal(size, (int)(call >> 16 & 0x3fff));

    [Fact]
    public void Registers_have_the_kernels_numbers()
    {
        Assert.Equal(0x6030_0000_0010_0000ul, KvmRegisterId.X(0));
        Assert.Equal(0x6030_0000_0010_003cul, KvmRegisterId.X(30));
        Assert.Equal(
            (ulong[])
            [
                0x6030000000100040, 0x6030000000100042, 0x603000000010003e, 0x6030000000100044, 0x6030000000100046, 0x6030000000100048,
                0x603000000013c005, 0x603000000013c600, 0x6030000000140000, 0x6030000000160000, 0x6030000000160001, 0x6030000000160002, 0x6030000000160003,
            ],
            (ulong[])
            [
                KvmRegisterId.Pc, KvmRegisterId.Pstate, KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1,
                KvmRegisterId.MpidrEl1, KvmRegisterId.VbarEl1, KvmRegisterId.PsciVersion, KvmRegisterId.StdBitmap, KvmRegisterId.StdHypBitmap, KvmRegisterId.VendorHypBitmap, KvmRegisterId.VendorHypBitmap2,
            ]);
    }

    // op0, op1, CRn, CRm, op2 (DDI 0487, System register encoding)
    [Theory]
    [InlineData(KvmRegisterId.MidrEl1, 3, 0, 0, 0, 0)]
    [InlineData(KvmRegisterId.MpidrEl1, 3, 0, 0, 0, 5)]
    [InlineData(KvmRegisterId.IdAa64Pfr0El1, 3, 0, 0, 4, 0)]
    [InlineData(KvmRegisterId.IdAa64Pfr1El1, 3, 0, 0, 4, 1)]
    [InlineData(KvmRegisterId.IdAa64Dfr0El1, 3, 0, 0, 5, 0)]
    [InlineData(KvmRegisterId.IdAa64Isar0El1, 3, 0, 0, 6, 0)]
    [InlineData(KvmRegisterId.IdAa64Isar1El1, 3, 0, 0, 6, 1)]
    [InlineData(KvmRegisterId.IdAa64Isar2El1, 3, 0, 0, 6, 2)]
    [InlineData(KvmRegisterId.IdAa64Mmfr0El1, 3, 0, 0, 7, 0)]
    [InlineData(KvmRegisterId.IdAa64Mmfr1El1, 3, 0, 0, 7, 1)]
    [InlineData(KvmRegisterId.IdAa64Mmfr2El1, 3, 0, 0, 7, 2)]
    [InlineData(KvmRegisterId.SctlrEl1, 3, 0, 1, 0, 0)]
    [InlineData(KvmRegisterId.Ttbr0El1, 3, 0, 2, 0, 0)]
    [InlineData(KvmRegisterId.Ttbr1El1, 3, 0, 2, 0, 1)]
    [InlineData(KvmRegisterId.TcrEl1, 3, 0, 2, 0, 2)]
    [InlineData(KvmRegisterId.VbarEl1, 3, 0, 12, 0, 0)]
    public void System_registers_are_named_by_their_encoding(ulong id, uint op0, uint op1, uint crn, uint crm, uint op2) =>
        Assert.Equal(0x6030_0000_0013_0000ul | op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2, id);

    private static int SizeOf<T>()
        where T : unmanaged => MemoryMarshal.AsBytes(new T[1].AsSpan()).Length;

    private static uint[] Words<T>(T structure)
        where T : unmanaged => MemoryMarshal.Cast<T, uint>(new[] { structure }).ToArray();

    private static KvmVcpuInit.FeatureWords WithFirst(uint word)
    {
        var words = new KvmVcpuInit.FeatureWords();
        words[0] = word;
        return words;
    }
}
