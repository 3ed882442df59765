namespace Hypercalls.Sdk;

/// <summary>The general queries of each owner, answered by the framework for all services together (DEN0028, General service queries).</summary>
internal sealed class GeneralQueries : Service<GeneralQueriesState>
{
    private const ushort CallCount = 0xFF00;
    private const ushort CallUid = 0xFF01;
    private const ushort Revision = 0xFF03;

    private readonly HashSet<FunctionId> _taken;

    /// <summary>The queries that no service answers itself.</summary>
    /// <param name="services">All services.</param>
    /// <param name="unserved">Functions in their tables that are not served.</param>
    /// <param name="configured">What the operator says of owners.</param>
    /// <exception cref="ServiceConflictException">Two say different things of one owner.</exception>
    public GeneralQueries(IReadOnlyList<Service> services, IReadOnlySet<FunctionId> unserved, IReadOnlyList<OwnerIdentity> configured)
    {
        FunctionId[] ids = [.. services.SelectMany(service => service.Rows).SelectMany(row => row.Ids).Where(id => !unserved.Contains(id))];
        _taken = [.. ids];
        var counts = ids.Where(id => !id.IsGeneralQuery).Select(OwnerOf).OfType<OwningEntity>().CountBy(owner => owner).ToDictionary();
        foreach (var owner in Queried)
        {
            (string Who, OwnerIdentity Identity)[] identities =
            [
                .. services.SelectMany(service => service.Owners, (service, identity) => (service.Name, identity)),
                .. configured.Select(identity => ("the configuration", identity)),
            ];
            identities = [.. identities.Where(said => said.Identity.Owner == owner)];
            if (counts.TryGetValue(owner, out var count))
            {
                Add(owner, CallCount, Answer.Value((uint)count));
            }

            if (Agreed(owner, CallUid, identities, identity => identity.Uid) is { } uid)
            {
                Add(owner, CallUid, Answer.Uid(uid));
            }

            if (Agreed(owner, Revision, identities, identity => identity.Revision) is { } revision)
            {
                Add(owner, Revision, Answer.Value(revision.Major, revision.Minor));
            }
        }
    }

    /// <summary>Those that have general queries: all but the architecture, which has SMCCC_VERSION.</summary>
    public static IReadOnlyList<OwningEntity> Queried { get; } =
    [
        OwningEntity.Cpu, OwningEntity.SiliconPartner, OwningEntity.Oem, OwningEntity.StandardSecure, OwningEntity.StandardHypervisor,
        OwningEntity.VendorHypervisor, OwningEntity.VendorMonitor, OwningEntity.TrustedApplication, OwningEntity.TrustedOs,
    ];

    public override string Name => "GENERAL_QUERIES";

    public override string Version => "1.3";

    public override bool YieldsToKernel => true;

    public override FunctionTable<GeneralQueriesState> Functions { get; } = [];

    /// <summary>Whose count a function belongs to. Yielding calls are the Trusted OS's, but for those older than the convention.</summary>
    public static OwningEntity? OwnerOf(FunctionId id) => (id.IsFast, (int)id.Owner) switch
    {
        (true, >= 1 and <= 7) => id.Owner,
        (true, 48 or 49) => OwningEntity.TrustedApplication,
        (true, >= 50) or (false, >= 2) => OwningEntity.TrustedOs,
        _ => null,
    };

    // The whole range of the Trusted OS answers at its last number.
    private static FunctionId Query(OwningEntity owner, ushort number) =>
        new(1u << 31 | (owner == OwningEntity.TrustedOs ? 0x3Fu : (uint)owner) << 24 | number);

    private static T? Agreed<T>(OwningEntity owner, ushort number, (string Who, OwnerIdentity Identity)[] identities, Func<OwnerIdentity, T?> part)
        where T : struct
    {
        (string Who, T? Said)[] said = [.. identities.Select(identity => (identity.Who, part(identity.Identity))).Where(said => said.Item2 is not null)];
        if (said is not [var first, ..])
        {
            return null;
        }

        var other = said.FirstOrDefault(other => !other.Said.Equals(first.Said));
        return other.Said is null
            ? first.Said
            : throw new ServiceConflictException($"{NameOf(Query(owner, number))} is {first.Said} for {first.Who} and {other.Said} for {other.Who}.");
    }

    private static string NameOf(FunctionId id) => FunctionNames.TryGetName(id, out var name) ? name : id.ToString();

    private void Add(OwningEntity owner, ushort number, Answer answer)
    {
        // A service that answers a query itself knows better.
        var id = Query(owner, number);
        if (!_taken.Contains(id))
        {
            Functions.Add(id.Value, NameOf(id), (in _) => answer);
        }
    }
}

/// <summary>Nothing is remembered.</summary>
internal sealed record GeneralQueriesState;
