using System.Buffers.Binary;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;
using Hypercalls.Kvm.Translation;
using Hypercalls.Kvm.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class CallReaderTests : IDisposable
{
    private const ulong Table = KvmRam.Base + 0x10_0000;
    private const ulong Text = KvmRam.Base + 0x20_0000;
    private const ulong Upper = 0xffff_ff80_0000_0000;
    private const uint Hvc = 0xd400_0002;

    private readonly FakeKvm _kvm = new(_ => []);
    private readonly FakeVm _vm;
    private readonly IKernelMemory _memory;
    private readonly FakeVcpu _vcpu;
    private readonly CallReader _reader;

    public CallReaderTests()
    {
        _vm = (FakeVm)_kvm.CreateVm();
        _memory = _kvm.Map(4 << 20);
        _vcpu = (FakeVcpu)_vm.CreateVcpu(0, VcpuRegisters.Features(new()));
        _reader = new(new(_memory));
        // 39 bits of addresses in both halves, 4 KiB granule: the first gigabyte of each is RAM's, by a block.
        _vcpu[KvmRegisterId.SctlrEl1] = 1;
        _vcpu[KvmRegisterId.TcrEl1] = 25 | 25 << 16 | 2ul << 30 | 2ul << 32;
        _vcpu[KvmRegisterId.Ttbr0El1] = _vcpu[KvmRegisterId.Ttbr1El1] = Table;
        Write(Table, KvmRam.Base | 1);
    }

    [Fact]
    public void A_remembered_call_of_the_upper_half_costs_no_translation()
    {
        Put(0, Hvc | 3 << 5);
        Assert.Equal((new CallInstruction(Conduit.Hvc, 3, 14), 4L), Read(Upper));
        Assert.Equal((new CallInstruction(Conduit.Hvc, 3, 14), 0L), Read(Upper));
    }

    [Fact]
    public void A_changed_instruction_is_read_anew()
    {
        Put(0, Hvc);
        _ = Read(Upper);
        Put(0, Hvc | 7 << 5);
        Assert.Equal((new CallInstruction(Conduit.Hvc, 7, 14), 0L), Read(Upper));
        // No call any more at that place: the guest's tables are asked, and they lead there too.
        Put(0, 0xd503_201f);
        Assert.Equal((null, 4L), Read(Upper));
        // Or elsewhere by now.
        Put(0x10_0000, Hvc | 9 << 5);
        Write(Table, (KvmRam.Base + 0x4000_0000) | 1);
        Assert.Equal((null, 4L), Read(Upper));
    }

    [Fact]
    public void A_call_of_the_lower_half_is_each_process_own_and_translated_each_time()
    {
        Put(0, Hvc);
        Assert.Equal((new CallInstruction(Conduit.Hvc, 0, 14), 4L), Read(0));
        Assert.Equal((new CallInstruction(Conduit.Hvc, 0, 14), 4L), Read(0));
    }

    [Fact]
    public void A_guest_without_MMU_costs_one()
    {
        _vcpu[KvmRegisterId.SctlrEl1] = 0x30d0_0800;
        Put(0, Hvc);
        Assert.Equal((new CallInstruction(Conduit.Hvc, 0, 14), 1L), Read(KvmRam.Base));
    }

    [Fact]
    public void Four_places_are_remembered_and_the_oldest_is_forgotten()
    {
        for (var n = 0; n < 5; n++)
        {
            Put((ulong)n * 8, Hvc | (uint)n << 5);
            Assert.Equal(4L, Read(Upper + ((ulong)n * 8)).Ioctls);
        }
        Assert.All(Enumerable.Range(1, 4), n => Assert.Equal(0L, Read(Upper + ((ulong)n * 8)).Ioctls));
        Assert.Equal((new CallInstruction(Conduit.Hvc, 0, 14), 4L), Read(Upper));
    }

    [Fact]
    public void Nothing_is_known_where_nothing_is_mapped()
    {
        Assert.Null(Read(Upper + (1ul << 30)).Call);
        Assert.Null(Read(0x0000_8000_0000_0000).Call);
    }

    public void Dispose()
    {
        _vcpu.Dispose();
        _vm.Dispose();
        _memory.Dispose();
        _kvm.Dispose();
        Assert.Empty(_kvm.Violations);
    }

    /// <summary>The call that stands at Text in that half, and the ioctls that it took to know it.</summary>
    private (CallInstruction? Call, long Ioctls) Read(ulong half)
    {
        _vcpu.Pc = (half == KvmRam.Base ? Text : half + (Text - KvmRam.Base)) + 4;
        // A run: everything read before is forgotten.
        var registers = new VcpuRegisters(_vcpu, new());
        _ = (registers.Pc, registers.Pstate);
        var before = _vcpu.Ioctls;
        return (_reader.Read(registers), _vcpu.Ioctls - before);
    }

    private void Put(ulong offset, uint opcode)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, opcode);
        _memory.Write(Text - KvmRam.Base + offset, bytes);
    }

    private void Write(ulong address, ulong descriptor)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, descriptor);
        _memory.Write(address - KvmRam.Base, bytes);
    }
}
