using System.Buffers.Binary;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Vcpus;

namespace Hypercalls.Tests.Client.Qemu.Vcpus;

public sealed class SmcImmediateTests : IDisposable
{
    private const ulong A32 = 0x1d3;
    private const ulong T32 = 0x1f3;

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
    private readonly GuestRam _ram;

    public SmcImmediateTests() => _ram = GuestRam.Create(Path.Combine(_folder, "ram"), 16 << 20);

    [Theory]
    [InlineData(A32, 0xe160_0070, 0u)]
    [InlineData(A32, 0xe160_007f, 15u)]
    [InlineData(A32, 0x0160_0073, 3u)] // SMCEQ
    [InlineData(A32, 0xe140_0071, null)] // HVC: something else is there by now
    [InlineData(A32, 0xe160_1070, null)]
    [InlineData(T32, 0x8000_f7f0, 0u)]
    [InlineData(T32, 0x8000_f7ff, 15u)]
    [InlineData(T32, 0x0000_f7fc, 12u)] // the second half is not looked at
    [InlineData(T32, 0x8000_f7e5, null)] // HVC
    public void Is_that_of_the_instruction(ulong pstate, uint opcode, uint? immediate)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_ram.Slice(0x4001_2344, 4), opcode);
        Assert.Equal(immediate, SmcImmediate.Read(Exit(0xc000_2348, pstate, 0xff00_0000_4001_2b80), _ram));
    }

    [Theory]
    [InlineData(0xff00_0000_4001_2b81)] // PAR_EL1.F: no translation
    [InlineData(0x0000_0000_0900_0b80)] // not RAM
    [InlineData(0x0000_0000_40e0_0b80)] // the mailboxes
    [InlineData(0x000f_ffff_ffff_fb80)]
    public void Is_unknown_where_the_instruction_cannot_be_read(ulong par) => Assert.Null(SmcImmediate.Read(Exit(0xc000_2348, A32, par), _ram));

    [Fact]
    public void Of_a_T32_instruction_across_two_pages_the_first_half_is_read()
    {
        // The last two bytes before the mailboxes: nothing behind them may be read.
        BinaryPrimitives.WriteUInt16LittleEndian(_ram.Slice(0x40df_fffe, 2), 0xf7f6);
        Assert.Equal(6u, SmcImmediate.Read(Exit(0x1002, T32, 0x40df_fb80), _ram));
    }

    public void Dispose()
    {
        _ram.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static MonitorExit Exit(ulong pc, ulong pstate, ulong par) => new()
    {
        Request = 1,
        Reason = MailboxLayout.ReasonEl3,
        Boot = 1,
        Cause = 0,
        Esr = 0x4e00_0000,
        Far = 0,
        Detail = par,
        Mpidr = 0,
        Registers = new(new(IsAArch32: true)) { Pc = pc, Pstate = pstate },
    };
}
