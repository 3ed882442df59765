using Hypercalls.Kvm.Translation;

namespace Hypercalls.Tests.Client.Kvm.Translation;

public sealed class Stage1WalkTests
{
    private const ulong On = 1;
    private const ulong BigEndian = 1 << 25;
    private const ulong Asid = 0x1234ul << 48;
    private const ulong CommonNotPrivate = 1;
    private const ulong Ds = 1ul << 59;
    private const ulong Ips = 7ul << 32;

    [Theory]
    // 4 KB: levels 47:39, 38:30, 29:21, 20:12.
    [InlineData(4, 16, false, 0x0000_8123_4567_8abc, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345703", 0x1234_5abc)] // page
    [InlineData(4, 16, false, 0x0000_8123_4567_8abc, "40000810=40010003 40010468=40020003 40020158=12200701", 0x1227_8abc)] // 2 MB block
    [InlineData(4, 16, false, 0x0000_8123_4567_8abc, "40000810=40010003 40010468=c0000701", 0xc567_8abc)] // 1 GB block
    [InlineData(4, 16, true, 0xffff_8123_4567_8abc, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345703", 0x1234_5abc)]
    [InlineData(4, 25, false, 0x0000_0071_2345_6780, "40000e20=40010003 400108d0=40020003 400202b0=12345703", 0x1234_5780)] // begins at level 1
    [InlineData(4, 25, true, 0xffff_ff91_2345_6780, "40000220=40010003 400108d0=40020003 400202b0=12345703", 0x1234_5780)]
    [InlineData(4, 34, false, 0x1abc_def0, "400006a8=40010003 40010e68=12345703", 0x1234_5ef0)] // begins at level 2, of full size
    [InlineData(4, 39, false, 0x01ab_cdec, "40000068=40010003 400105e0=12345703", 0x1234_5dec)] // begins at level 2
    // 16 KB: levels 47, 46:36, 35:25, 24:14.
    [InlineData(16, 16, false, 0x0000_8123_4567_8abc, "40000008=40010003 40010090=40020003 40020d10=40030003 40032cf0=12344703", 0x1234_4abc)] // page
    [InlineData(16, 16, false, 0x0000_8123_4567_8abc, "40000008=40010003 40010090=40020003 40020d10=12000701", 0x1367_8abc)] // 32 MB block
    [InlineData(16, 16, true, 0xffff_8123_4567_8abc, "40000008=40010003 40010090=40020003 40020d10=40030003 40032cf0=12344703", 0x1234_4abc)]
    [InlineData(16, 17, false, 0x0000_4123_4567_8abc, "40002090=40010003 40010d10=40020003 40022cf0=12344703", 0x1234_4abc)] // begins at level 1
    [InlineData(16, 28, false, 0x0000_0009_1234_5678, "40002448=40010003 40010688=12344703", 0x1234_5678)] // begins at level 2
    [InlineData(16, 39, false, 0x01ab_cdec, "40003578=12344703", 0x1234_4dec)] // begins at level 3
    // 64 KB: levels 51:42, 41:29, 28:16.
    [InlineData(64, 12, false, 0x0008_1234_5678_9abc, "40001020=40010003 40018d10=40020003 4002b3c0=12340703", 0x1234_9abc)] // 52 bits
    [InlineData(64, 16, false, 0x0000_8123_4567_8abc, "40000100=40010003 400148d0=40020003 40022b38=12340703", 0x1234_8abc)] // page
    [InlineData(64, 16, false, 0x0000_8123_4567_8abc, "40000100=40010003 400148d0=20000701", 0x2567_8abc)] // 512 MB block
    [InlineData(64, 16, true, 0xffff_8123_4567_8abc, "40000100=40010003 400148d0=40020003 40022b38=12340703", 0x1234_8abc)]
    [InlineData(64, 22, false, 0x0000_0312_3456_7890, "4000c488=40010003 4001a2b0=12340703", 0x1234_7890)] // begins at level 2
    [InlineData(64, 39, false, 0x01ab_cdec, "40000d58=12340703", 0x1234_cdec)] // begins at level 3
    public void Follows_the_tables_of_AArch64(int granule, int size, bool isUpper, ulong address, string tables, ulong expected)
    {
        var registers = AArch64(granule, size, isUpper);
        var memory = SparseMemory.Of(tables);
        Assert.Equal(expected, Stage1Walk.Find(registers, address, memory));
        Assert.Equal(tables.Split(' ').Length, memory.Reads);
        Assert.Equal(expected, Stage1Walk.Find(registers with { Sctlr = On | BigEndian }, address, SparseMemory.Of(tables, isBigEndian: true)));
        Assert.Null(Stage1Walk.Find(registers with { Sctlr = On | BigEndian }, address, memory));

        // Neither the ASID nor CnP belongs to the table's address.
        Assert.Equal(expected, Stage1Walk.Find(registers with { Ttbr0 = registers.Ttbr0 | Asid | CommonNotPrivate, Ttbr1 = registers.Ttbr1 | Asid | CommonNotPrivate }, address, memory));

        // EPD0 and EPD1.
        Assert.Null(Stage1Walk.Find(registers with { Tcr = registers.Tcr | 1ul << (isUpper ? 23 : 7) }, address, memory));
        Assert.Equal(expected, Stage1Walk.Find(registers with { Tcr = registers.Tcr | 1ul << (isUpper ? 7 : 23) }, address, memory));

        // With DS, the shareability's bits are some of an address that has more than 48; the 64 KB granule has no DS.
        Assert.Equal(granule == 64 ? expected : null, Stage1Walk.Find(registers with { Tcr = registers.Tcr | Ds }, address, memory));

        // Addresses that are not canonical, with a tag or in the hole.
        Assert.Null(Stage1Walk.Find(registers, address ^ 1ul << 60, memory));
        Assert.Null(Stage1Walk.Find(registers, address ^ 1ul << (64 - size), memory));
    }

    [Theory]
    // 4 KB: levels 51:48, 47:39, 38:30, 29:21, 20:12. The first table is at 9_0000_4000_0000.
    [InlineData(4, 12, false, 0x000a_8123_4567_8abc, "9000040000050=40010003 40010810=40020003 40020468=40030003 40030158=40040003 400403c0=12345403", 0x1234_5abc)] // begins at level -1
    [InlineData(4, 12, false, 0x000a_8123_4567_8abc, "9000040000050=1000040010103 5000040010810=40020003 40020468=40030003 40030158=2000040040203 a0000400403c0=3000012345603", 0x000b_0000_1234_5abc)]
    [InlineData(4, 12, true, 0xfffa_8123_4567_8abc, "9000040000050=40010003 40010810=40020003 40020468=40030003 40030158=40040003 400403c0=3000012345703", 0x000f_0000_1234_5abc)]
    [InlineData(4, 15, false, 0x0001_8123_4567_8abc, "9000040000008=40010003 40010810=40020003 40020468=40030003 40030158=40040003 400403c0=12345403", 0x1234_5abc)] // 49 bits: two entries
    [InlineData(4, 12, false, 0x000a_8123_4567_8abc, "9000040000050=40010003 40010810=2018000000501", 0x0006_01a3_4567_8abc)] // 512 GB block
    [InlineData(4, 12, false, 0x000a_8123_4567_8abc, "9000040000050=40010003 40010810=40020003 40020468=10000c0000401", 0x0001_0000_c567_8abc)] // 1 GB block
    [InlineData(4, 12, false, 0x000a_8123_4567_8abc, "9000040000050=40010003 40010810=40020003 40020468=40030003 40030158=12200601", 0x0008_0000_1227_8abc)] // 2 MB block
    [InlineData(4, 16, false, 0x0000_8123_4567_8abc, "9000040000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345403", 0x1234_5abc)] // 48 bits: begins at level 0
    [InlineData(4, 16, true, 0xffff_8123_4567_8abc, "9000040000810=18000000401", 0x01a3_4567_8abc)] // 512 GB block
    [InlineData(4, 25, false, 0x0000_0071_2345_6780, "9000040000e20=40010003 400108d0=40020003 400202b0=12345403", 0x1234_5780)] // begins at level 1
    // 16 KB: levels 51:47, 46:36, 35:25, 24:14.
    [InlineData(16, 12, false, 0x000a_8123_4567_8abc, "90000400000a8=40010003 40010090=40020003 40020d10=40030003 40032cf0=12344403", 0x1234_4abc)] // 52 bits
    [InlineData(16, 12, false, 0x000a_8123_4567_8abc, "90000400000a8=1000040010103 5000040010090=40020003 40020d10=2000040030203 a000040032cf0=3000012344603", 0x000b_0000_1234_4abc)]
    [InlineData(16, 12, true, 0xfffa_8123_4567_8abc, "90000400000a8=40010003 40010090=40020003 40020d10=40030003 40032cf0=3000012344703", 0x000f_0000_1234_4abc)]
    [InlineData(16, 12, false, 0x000a_8123_4567_8abc, "90000400000a8=40010003 40010090=2003000000501", 0x0006_0033_4567_8abc)] // 64 GB block
    [InlineData(16, 12, false, 0x000a_8123_4567_8abc, "90000400000a8=40010003 40010090=40020003 40020d10=12000601", 0x0008_0000_1367_8abc)] // 32 MB block
    [InlineData(16, 16, false, 0x0000_8123_4567_8abc, "9000040000008=40010003 40010090=40020003 40020d10=40030003 40032cf0=12344403", 0x1234_4abc)] // 48 bits
    [InlineData(16, 17, false, 0x0000_4123_4567_8abc, "9000040002090=3000000401", 0x0033_4567_8abc)] // begins at level 1: 64 GB block
    [InlineData(16, 39, false, 0x01ab_cdec, "9000040003578=12344403", 0x1234_4dec)] // begins at level 3
    public void Follows_the_tables_of_LPA2(int granule, int size, bool isUpper, ulong address, string tables, ulong expected)
    {
        var registers = Lpa2(granule, size, isUpper);
        var memory = SparseMemory.Of(tables);
        Assert.Equal(expected, Stage1Walk.Find(registers, address, memory));
        Assert.Equal(tables.Split(' ').Length, memory.Reads);
        Assert.Equal(expected, Stage1Walk.Find(registers with { Sctlr = On | BigEndian }, address, SparseMemory.Of(tables, isBigEndian: true)));
        Assert.Equal(expected, Stage1Walk.Find(registers with { Ttbr0 = registers.Ttbr0 | Asid | CommonNotPrivate, Ttbr1 = registers.Ttbr1 | Asid | CommonNotPrivate }, address, memory));

        // The same tables with 48 bits of physical address: the first of them is above.
        Assert.Null(Stage1Walk.Find(registers with { Tcr = registers.Tcr & ~Ips | 5ul << 32 }, address, memory));
        Assert.Null(Stage1Walk.Find(registers with { Tcr = registers.Tcr & ~Ds }, address, memory));
        Assert.Null(Stage1Walk.Find(registers, address ^ 1ul << 60, memory));
        Assert.Null(Stage1Walk.Find(registers, address ^ 1ul << (64 - size), memory));
    }

    [Theory]
    [InlineData(4, 12, "9000040000050=00000401")] // no block at level -1
    [InlineData(4, 12, "9000040000050=40010003 40010810=40020003 40020468=40030003 40030158=40040003 400403c0=12345401")] // reserved at level 3
    [InlineData(4, 12, "9000040000050=40010003 40010810=18000000400")] // invalid
    [InlineData(4, 12, "9000040000050=1000040010003")] // table outside of RAM
    [InlineData(4, 12, "9000040000050=40010103 40010810=18000000401")]
    [InlineData(16, 12, "90000400000a8=00000401")] // no block at level 0
    [InlineData(16, 12, "90000400000a8=40010003 40010090=40020003 40020d10=40030003 40032cf0=12344401")] // reserved at level 3
    [InlineData(4, 11, "9000040000050=40010003 40010810=18000000401")] // more than 52 bits
    [InlineData(16, 11, "90000400000a8=40010003 40010090=3000000401")]
    [InlineData(4, 40, "9000040000000=00200401")] // needs small tables
    public void Does_not_know_what_LPA2_has_not(int granule, int size, string tables) =>
        Assert.Null(Stage1Walk.Find(Lpa2(granule, size, isUpper: false), size == 40 ? 0xabcul : 0x000a_8123_4567_8abc, SparseMemory.Of(tables)));

    [Theory]
    [InlineData(5, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345403", 0x1234_5abcul)]
    [InlineData(5, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345503", null)] // page above 2^48
    [InlineData(5, "40000810=40010003 40010468=40020003 40020158=1000012200401", null)] // block
    [InlineData(5, "40000810=40010103 4000040010468=c0000401 40010468=c0000401", null)] // table
    [InlineData(6, "40000810=40010103 4000040010468=c0000401", 0xc567_8abcul)]
    [InlineData(2, "40000810=40010003 40010468=ffc0000401", 0xff_c567_8abcul)]
    [InlineData(2, "40000810=40010003 40010468=100c0000401", null)] // block above 2^40
    public void Does_not_know_addresses_of_LPA2_above_what_IPS_allows(ulong ips, string tables, ulong? expected)
    {
        var registers = Lpa2(4, 16, isUpper: false);
        registers = registers with { Tcr = registers.Tcr & ~Ips | ips << 32, Ttbr0 = 0x4000_0000 };
        Assert.Equal(expected, Stage1Walk.Find(registers, 0x0000_8123_4567_8abc, SparseMemory.Of(tables)));
    }

    [Theory]
    [InlineData(4, 12, 0x4000_0080, true)] // 16 entries: 128 bytes
    [InlineData(4, 12, 0x4000_0040, false)]
    [InlineData(4, 12, 0x4000_00bc, true)] // bits 5:2 are the table's 51:48
    [InlineData(4, 12, 0x4000_0082, false)]
    [InlineData(4, 15, 0x4000_0040, true)] // 2 entries, and yet 64 bytes
    [InlineData(4, 15, 0x4000_007c, true)]
    [InlineData(4, 15, 0x4000_0042, false)]
    [InlineData(16, 12, 0x4000_0100, true)] // 32 entries: 256 bytes
    [InlineData(16, 12, 0x4000_0080, false)]
    public void Aligns_the_first_table_of_LPA2_to_64_bytes_at_least(int granule, int size, ulong table, bool isKnown) =>
        Assert.Equal(isKnown ? 0x234ul : null, Stage1Walk.Find(Lpa2(granule, size, isUpper: false) with { Ttbr0 = table }, 0x234, new EverythingMaps()));

    [Theory]
    [InlineData(4, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345700")] // invalid
    [InlineData(4, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345702")] // invalid: bit 0
    [InlineData(4, "40000810=40010003 40010468=40020003 40020158=40030003 400303c0=12345701")] // reserved at level 3
    [InlineData(4, "40000810=00000701")] // no block at level 0
    [InlineData(4, "40000810=40010003 40010468=40020003 40020158=1000012345701")] // 52-bit address
    [InlineData(4, "40000810=4000000040010003")] // table outside of RAM
    [InlineData(4, "40000810=90040010003 90040010468=c0000701")] // table above 2^40
    [InlineData(4, "40000810=40010003 40010468=90000000701")] // block above 2^40
    [InlineData(4, "")]
    [InlineData(16, "40000008=00000701")] // no block at level 0
    [InlineData(16, "40000008=40010003 40010090=00000701")] // nor at level 1
    [InlineData(64, "40000100=00000701")] // no block at level 1
    [InlineData(64, "40000100=40010003 400148d0=40021003")] // 52-bit table
    [InlineData(64, "40000100=40010003 400148d0=20001701")] // 52-bit block
    [InlineData(64, "40000100=40010003 400148d0=40020003 40022b38=12341703")] // 52-bit page
    public void Does_not_know_what_is_not_mapped_or_unusual(int granule, string tables)
    {
        const ulong ips40 = 2ul << 32;
        var registers = AArch64(granule, 16, isUpper: false);
        Assert.Null(Stage1Walk.Find(registers with { Tcr = registers.Tcr & ~Ips | ips40 }, 0x0000_8123_4567_8abc, SparseMemory.Of(tables)));
    }

    [Theory]
    [InlineData(4, 15)] // needs LPA2
    [InlineData(16, 15)]
    [InlineData(64, 11)]
    [InlineData(4, 40)] // needs small tables
    [InlineData(16, 48)]
    [InlineData(64, 63)]
    [InlineData(4, 0)]
    [InlineData(0, 16)] // TG0 = 3: reserved
    public void Does_not_guess_at_reserved_sizes(int granule, int size)
    {
        var memory = new EverythingMaps();
        Assert.Null(Stage1Walk.Find(AArch64(granule, size, isUpper: false), 0x1000, memory));
        Assert.Null(Stage1Walk.Find(AArch64(granule, size, isUpper: true), 0xffff_ffff_ffff_f000, memory));
    }

    [Theory]
    [InlineData(5, 16, 0x4000_0200, true)] // 64 entries: 512 bytes
    [InlineData(5, 16, 0x4000_0100, false)]
    [InlineData(5, 20, 0x4000_0020, true)] // 4 entries: 32 bytes
    [InlineData(5, 20, 0x4000_0010, false)]
    [InlineData(6, 20, 0x4000_0020, false)] // bits 5:2 are the table's 51:48
    [InlineData(6, 20, 0x4000_0040, true)]
    [InlineData(5, 22, 0x4001_0000, true)] // 8192 entries
    [InlineData(5, 22, 0x4000_8000, false)]
    public void Does_not_guess_at_tables_that_are_not_aligned(ulong ips, int size, ulong table, bool isKnown)
    {
        var registers = AArch64(64, size, isUpper: false);
        registers = registers with { Tcr = registers.Tcr & ~Ips | ips << 32, Ttbr0 = table };
        Assert.Equal(isKnown ? 0x1234ul : null, Stage1Walk.Find(registers, 0x1234, new EverythingMaps()));
    }

    [Theory]
    // T0SZ, T1SZ: which of the tables at 40000000 (TTBR0) and 50000000 (TTBR1).
    [InlineData(0, 0, 0xf123_4567, "40000018=40010003 40010c48=12200701", 0x1223_4567ul)]
    [InlineData(0, 0, 0x7123_4567, "40000008=40010003 40010c48=40020003 400201a0=12345703", 0x1234_5567ul)]
    [InlineData(0, 0, 0x7123_4567, "40000008=c0000701", 0xf123_4567ul)]
    [InlineData(1, 0, 0x7123_4567, "40000008=c0000701", 0xf123_4567ul)]
    [InlineData(1, 0, 0xf123_4567, "50000018=80000701", 0xb123_4567ul)] // TTBR1 for all above, 32 bits wide
    [InlineData(2, 0, 0x3123_4567, "40000c48=12200701", 0x1223_4567ul)] // begins at level 2
    [InlineData(2, 0, 0x7123_4567, "50000008=80000701", 0xb123_4567ul)]
    [InlineData(0, 1, 0x7123_4567, "40000008=c0000701", 0xf123_4567ul)]
    [InlineData(0, 1, 0xf123_4567, "50000008=80000701", 0xb123_4567ul)]
    [InlineData(0, 2, 0xf123_4567, "50000c48=12200701", 0x1223_4567ul)]
    [InlineData(0, 2, 0xb123_4567, "40000010=c0000701", 0xf123_4567ul)]
    [InlineData(7, 7, 0x0123_4567, "40000048=12200701", 0x1223_4567ul)]
    [InlineData(7, 7, 0xff23_4567, "50000048=12200701", 0x1223_4567ul)]
    [InlineData(7, 7, 0x0223_4567, "40000088=12200701 50000088=12200701", null)] // between the two
    [InlineData(0, 0, 0xf123_4567, "40000018=40010003 40010c48=ff12200701", 0xff_1223_4567ul)] // 40 bits
    [InlineData(0, 0, 0xf123_4567, "40000018=40010003 40010c48=1ff12200701", null)] // 41
    public void Follows_the_long_descriptors_of_AArch32(uint size0, uint size1, ulong address, string tables, ulong? expected)
    {
        const ulong eae = 1ul << 31;
        var registers = new TranslationRegisters(IsAArch32: true, On, eae | size1 << 16 | size0, 0x4000_0000 | 0xabul << 48, 0x5000_0000);
        Assert.Equal(expected, Stage1Walk.Find(registers, address, SparseMemory.Of(tables)));
        Assert.Equal(expected, Stage1Walk.Find(registers with { Sctlr = On | BigEndian }, address, SparseMemory.Of(tables, isBigEndian: true)));
        var isUpper = tables[0] == '5';
        Assert.Null(Stage1Walk.Find(registers with { Tcr = registers.Tcr | 1ul << (isUpper ? 23 : 7) }, address, SparseMemory.Of(tables)));
        Assert.Null(Stage1Walk.Find(registers, address | 1ul << 32, SparseMemory.Of(tables)));
    }

    [Theory]
    // N: TTBR0's table at 40000000, TTBR1's at 50000000.
    [InlineData(0, 0xf123_4567, "40003c48=12300c02", 0x1233_4567ul)] // section 12300000
    [InlineData(0, 0xf123_4567, "40003c48=12300c03", 0x1233_4567ul)] // with PXN
    [InlineData(0, 0xf123_4567, "40003c48=12040c02", 0x1223_4567ul)] // supersection 12000000
    [InlineData(0, 0xf123_4567, "40003c48=12140c02", null)] // of 40 bits: 35:32
    [InlineData(0, 0xf123_4567, "40003c48=12040c22", null)] // of 40 bits: 39:36
    [InlineData(0, 0xf123_4567, "40003c48=40010401 400104d0=12345032", 0x1234_5567ul)] // small page
    [InlineData(0, 0xf123_4567, "40003c48=40010401 400104d0=12345033", 0x1234_5567ul)] // with XN
    [InlineData(0, 0xf123_4567, "40003c48=40010401 400104d0=12340031", 0x1234_4567ul)] // large page
    [InlineData(0, 0xf123_4567, "40003c48=40010401 400104d0=12345030", null)]
    [InlineData(0, 0xf123_4567, "40003c48=40010401", null)] // second table outside of RAM
    [InlineData(0, 0xf123_4567, "40003c48=12300c00", null)]
    [InlineData(0, 0xf123_4567, "", null)]
    [InlineData(1, 0x7123_4567, "40001c48=12300c02", 0x1233_4567ul)]
    [InlineData(1, 0xf123_4567, "50003c48=12300c02", 0x1233_4567ul)]
    [InlineData(7, 0x0123_4567, "40000048=12300c02", 0x1233_4567ul)]
    [InlineData(7, 0x0223_4567, "50000088=12300c02", 0x1233_4567ul)]
    public void Follows_the_short_descriptors_of_AArch32(uint n, ulong address, string tables, ulong? expected)
    {
        // TTBR's low bits are attributes.
        var registers = new TranslationRegisters(IsAArch32: true, On, n, 0x4000_006a, 0x5000_006a);
        Assert.Equal(expected, Stage1Walk.Find(registers, address, SparseMemory.Of(tables, size: 4)));
        Assert.Equal(expected, Stage1Walk.Find(registers with { Sctlr = On | BigEndian }, address, SparseMemory.Of(tables, size: 4, isBigEndian: true)));
        var isUpper = tables.StartsWith('5');
        Assert.Null(Stage1Walk.Find(registers with { Tcr = n | 1u << (isUpper ? 5 : 4) }, address, SparseMemory.Of(tables, size: 4)));
        Assert.Equal(expected, Stage1Walk.Find(registers with { Tcr = n | 1u << (isUpper ? 4 : 5) }, address, SparseMemory.Of(tables, size: 4)));
    }

    [Theory]
    [InlineData(7, 0x4000_0080, 0x4000_0100)] // N = 7: a table of 128 bytes
    [InlineData(0, 0x4000_0000, 0x4000_4000)]
    public void Aligns_the_first_table_of_short_descriptors_by_its_size(uint n, ulong table, ulong next)
    {
        var memory = new SparseMemory();
        memory.Write(table, 0x1230_0c02, 4);
        memory.Write(next, 0x4560_0c02, 4);
        Assert.Equal(0x1230_0000ul, Stage1Walk.Find(new(IsAArch32: true, On, n, next - 1, 0), 0, memory));
        Assert.Equal(0x4560_0000ul, Stage1Walk.Find(new(IsAArch32: true, On, n, next, 0), 0, memory));
    }

    [Theory]
    [InlineData(false, 0x4008_0000, 0x4008_0000ul)]
    [InlineData(false, 0x0000_ffff_ffff_fffc, 0x0000_ffff_ffff_fffcul)]
    [InlineData(false, 0x0001_0000_0000_0000, null)]
    [InlineData(true, 0xffff_fffc, 0xffff_fffcul)]
    [InlineData(true, 0x1_0000_0000, null)]
    public void Leaves_addresses_as_they_are_while_the_MMU_is_off(bool isAArch32, ulong address, ulong? expected)
    {
        var memory = new SparseMemory();
        Assert.Equal(expected, Stage1Walk.Find(new(isAArch32, 0x30d0_0800, ~0ul, ~0ul, ~0ul), address, memory));
        Assert.Equal(0, memory.Reads);
    }

    // IPS = 48 bits. The half that is not under test has the other granules' and sizes' codes.
    private static TranslationRegisters AArch64(int granule, int size, bool isUpper)
    {
        const ulong ips48 = 5ul << 32;
        var (tg0, tg1) = granule switch { 4 => (0ul, 2ul), 16 => (2ul, 1ul), 64 => (1ul, 3ul), _ => (3ul, 0ul) };
        var tcr = ips48 | (isUpper ? (ulong)(uint)size << 16 | tg1 << 30 | 5 : (ulong)(uint)size | tg0 << 14 | 5ul << 16);
        return new(IsAArch32: false, On, tcr, isUpper ? 0x7770_0000ul : 0x4000_0000, isUpper ? 0x4000_0000ul : 0x7770_0000);
    }

    // IPS = 52 bits, and the first table at 9_0000_4000_0000.
    private static TranslationRegisters Lpa2(int granule, int size, bool isUpper)
    {
        const ulong ips52 = 6ul << 32;
        const ulong table = 9 << 2 | 0x4000_0000;
        var registers = AArch64(granule, size, isUpper);
        return registers with { Tcr = registers.Tcr & ~Ips | ips52 | Ds, Ttbr0 = isUpper ? registers.Ttbr0 : table, Ttbr1 = isUpper ? table : registers.Ttbr1 };
    }

    /// <summary>Every descriptor is a table's, and a page's at the last level.</summary>
    private sealed class EverythingMaps : IPhysicalMemory
    {
        public bool TryRead(ulong address, Span<byte> into)
        {
            into.Clear();
            into[0] = 3;
            return true;
        }
    }
}
