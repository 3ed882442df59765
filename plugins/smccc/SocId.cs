using System.Text;

namespace Hypercalls.Smccc;

/// <summary>What a guest can learn of its SoC (DEN0028, SMCCC_ARCH_SOC_ID).</summary>
public sealed record SocId
{
    /// <summary>Of a name: x1 to x17, the last byte zero.</summary>
    public const int NameBytes = 17 * sizeof(ulong);

    private const int HighestBank = 0x7F;
    private const uint HighestRevision = 0x7FFF_FFFF;

    /// <summary>The silicon partner's JEP-106 bank index, 0 to 127: continuation codes before the code.</summary>
    public required byte Bank { get; init; }

    /// <summary>The silicon partner's JEP-106 code, with its parity bit.</summary>
    public required byte Code { get; init; }

    /// <summary>The silicon partner's number of the SoC.</summary>
    public required ushort Number { get; init; }

    /// <summary>31 bits.</summary>
    public uint Revision { get; init; }

    /// <summary>For people: at most 135 printable ASCII characters; null where there is none.</summary>
    public string? Name { get; init; }

    /// <summary>Bit 31 zero, bank 30:24, code 23:16, number 15:0.</summary>
    internal uint SocVersion => (uint)Bank << 24 | (uint)Code << 16 | Number;

    /// <summary>Which member is out of range, and what it takes; null where none is.</summary>
    internal (string Member, string Remedy)? Fault =>
        Bank > HighestBank ? ("bank", $"a JEP-106 bank index is 0 to {HighestBank}")
        : Revision > HighestRevision ? ("revision", $"a SoC revision is 0 to {HighestRevision}, 31 bits")
        : Name is { } name && (name.Length is 0 or >= NameBytes || name.Any(letter => letter is < ' ' or > '~'))
            ? ("name", $"a SoC name is 1 to {NameBytes - 1} printable ASCII characters")
        : null;

    /// <summary>The name as x1 to x17, each register's low byte first.</summary>
    internal ulong[] NameRegisters()
    {
        var bytes = new byte[NameBytes];
        Encoding.ASCII.GetBytes(Name!, bytes);
        return [.. Enumerable.Range(0, NameBytes / sizeof(ulong)).Select(i => System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(i * sizeof(ulong))))];
    }
}
