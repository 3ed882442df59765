using System.Buffers.Binary;

namespace Hypercalls.Kvm.Interface;

/// <summary>The first bytes of kvm_run, as they were when KVM_RUN came back (Linux, Documentation/virt/kvm/api.rst, 5).</summary>
internal sealed class RunPage
{
    public const int Size = 192;

    private const int Union = 32;
    private const uint MostData = 16;
    private const int MmioDataAt = 40;
    private const int MmioDataSize = 8;

    private readonly byte[] _bytes = new byte[Size];

    public Span<byte> Bytes => _bytes;

    public ExitReason Reason => (ExitReason)Word(8);

    /// <summary>kvm_run.flags.</summary>
    public ushort Flags => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(14));

    /// <summary>Function identifier and whether it came by SMC.</summary>
    public (uint Function, bool IsSmc) Hypercall => ((uint)Long(Union), (Long(96) & 1) != 0);

    public (ulong Address, int Length, bool IsWrite) Mmio => (Long(Union), (int)Word(48), _bytes[52] != 0);

    /// <summary>Of the MMIO exit, 8 bytes.</summary>
    public ReadOnlySpan<byte> MmioData => _bytes.AsSpan(MmioDataAt, MmioDataSize);

    public KvmSystemEvent SystemEvent => (KvmSystemEvent)Word(Union);

    /// <summary>The valid entries of the system event's data.</summary>
    public ulong[] SystemEventData => Longs(MmioDataAt, (int)Math.Min(Word(36), MostData));

    /// <summary>ESR and FAR; the upper half of ESR is zero where a flag does not say that it is valid.</summary>
    public (ulong Esr, bool IsHighValid, ulong Far) Debug => (((Flags & 1) != 0 ? (ulong)Word(36) << 32 : 0) | Word(Union), (Flags & 1) != 0, Long(MmioDataAt));

    /// <summary>Of KVM_EXIT_INTERNAL_ERROR: suberror and the valid entries of its data.</summary>
    public (uint Suberror, ulong[] Data) InternalError => (Word(Union), Longs(MmioDataAt, (int)Math.Min(Word(36), MostData)));

    /// <summary>The first words of the union, for exits that are reported as they are.</summary>
    public ulong[] Words(int count) => Longs(Union, count);

    private uint Word(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private ulong Long(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));

    private ulong[] Longs(int offset, int count)
    {
        var longs = new ulong[count];
        for (var n = 0; n < longs.Length; n++)
        {
            longs[n] = Long(offset + (n * sizeof(ulong)));
        }
        return longs;
    }
}
