using System.Buffers.Binary;

namespace Hypercalls.Sdk;

/// <summary>What an owner of functions says of itself: answered to Call UID and Revision (DEN0028, General service queries).</summary>
public sealed record OwnerIdentity
{
    private const uint UnknownFunction = uint.MaxValue;

    /// <summary>Of one owner.</summary>
    /// <param name="owner">Any but <see cref="OwningEntity.Architecture"/>; <see cref="OwningEntity.TrustedApplication"/> and <see cref="OwningEntity.TrustedOs"/> stand for their whole ranges.</param>
    /// <param name="uid">The answer to Call UID; null where this says none.</param>
    /// <param name="revision">The answer to Revision; null where this says none.</param>
    /// <exception cref="ArgumentException">The owner has no general queries, or the UID would read as an unknown function.</exception>
    public OwnerIdentity(OwningEntity owner, Guid? uid = null, OwnerRevision? revision = null)
    {
        if (!GeneralQueries.Queried.Contains(owner))
        {
            throw new ArgumentException($"The owner {owner} has no general queries", nameof(owner));
        }

        if (uid is { } value && Words(value).W0 == UnknownFunction)
        {
            throw new ArgumentException($"The call UID {value} begins with ffffffff, which a guest reads as an unknown function; choose another", nameof(uid));
        }

        Owner = owner;
        Uid = uid;
        Revision = revision;
    }

    /// <summary>Whose.</summary>
    public OwningEntity Owner { get; }

    /// <summary>The answer to Call UID.</summary>
    public Guid? Uid { get; }

    /// <summary>The answer to Revision.</summary>
    public OwnerRevision? Revision { get; }

    /// <summary>A UUID as four registers: its bytes in textual order, each word's first byte lowest.</summary>
    internal static (uint W0, uint W1, uint W2, uint W3) Words(Guid uid)
    {
        Span<byte> bytes = stackalloc byte[16];
        uid.TryWriteBytes(bytes, bigEndian: true, out _);
        return (Word(bytes), Word(bytes[4..]), Word(bytes[8..]), Word(bytes[12..]));
    }

    private static uint Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}

/// <summary>A revision of an owner's functions (DEN0028, General service queries).</summary>
/// <param name="Major">W0; raised where callers must change.</param>
/// <param name="Minor">W1.</param>
public readonly record struct OwnerRevision(uint Major, uint Minor)
{
    /// <summary>1.0 and the like.</summary>
    /// <returns>Two numbers with a dot.</returns>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
