using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>
/// What of the services a machine's kernel keeps from arriving, and what follows: a service that insists is a conflict; a family whose
/// VERSION function does not arrive is not served at all.
/// </summary>
internal sealed class KernelConflicts
{
    private const int MostNamed = 8;

    private readonly Service[] _affected;

    private readonly string? _unfollowed;

    private KernelConflicts(IReadOnlyList<Shadowed> shadowed, IReadOnlyDictionary<FunctionId, Withheld> withheld, string? unfollowed)
    {
        (Shadowed, Withheld, _unfollowed) = (shadowed, withheld, unfollowed);
        _affected = [.. shadowed.Select(call => call.Service).Concat(withheld.Values.Select(function => function.Service)).Distinct()];
    }

    /// <summary>Calls that never arrive, service by service.</summary>
    public IReadOnlyList<Shadowed> Shadowed { get; }

    /// <summary>Functions that are not served, whether or not they would arrive: their VERSION function does not.</summary>
    public IReadOnlyDictionary<FunctionId, Withheld> Withheld { get; }

    /// <summary>Finds them. Pure.</summary>
    public static KernelConflicts Of(ServiceSet services, KernelRegisterRanges kernel, ValueArray<Conduit> conduits)
    {
        Shadowed[] functions =
        [
            .. from service in services.All
               from row in service.Rows
               from id in row.Ids
               where services.Contains(id) && !Arrives(kernel, conduits, id)
               select new Shadowed(service, row, id.ToString(), kernel.Find(conduits[0], isAArch32: false, 0, id.Value)),
        ];
        // A guest in AArch64 decides: from AArch32 not every instruction tells its immediate.
        var claims =
            from service in services.All
            from claim in service.Claims
            where conduits.Contains(claim.Conduit) && !Arrives(kernel.Of(claim.Conduit, isAArch32: false, isZero: false))
            let row = services.Find(new(0), claim.Conduit, claim.Immediate, isAArch32: false)!.Value.Function
            select new Shadowed(service, row, claim.ToString(), kernel.Find(claim.Conduit, isAArch32: false, claim.Immediate, 0));
        var withheld =
            from service in services.Services
            from row in service.Rows
            from id in row.Ids
            where services.Contains(id)
            let version = VersionOf(service, id)
            where version is not null && !Arrives(kernel, conduits, version.Value)
            select new Withheld(service, row, id, version.Value);
        var withheldById = withheld.ToDictionary(function => function.Id);
        return new([.. functions, .. claims], withheldById, Unfollowed(services, kernel, conduits, withheldById));
    }

    /// <summary>Why the machine cannot be served as it is; null where no service insists on what the kernel keeps. That a service would be blind nobody can allow.</summary>
    public string? Refusal(bool allowsShadowed = false)
    {
        if (_unfollowed is not null || allowsShadowed)
        {
            return _unfollowed;
        }

        string[] insisted = [.. _affected.Where(service => !service.YieldsToKernel).Select(Sentence)];
        return insisted.Length == 0 ? null
            : $"{string.Join("; ", insisted)}. Let the host forward them, take the service away, or attach with --allow-shadowed.";
    }

    /// <summary>One sentence for each service, of what will never arrive and what is not served for it.</summary>
    public IEnumerable<string> Sentences() => _affected.Select(Sentence);

    /// <summary>The VERSION function on which an identifier depends: its family's, else that of the service's own.</summary>
    private static FunctionId? VersionOf(Service service, FunctionId id) =>
        UnversionedFunction.VersionOf(id) is { } known ? known
        : service.Rows.FirstOrDefault(row => row.Traits.IsVersion && UnversionedFunction.VersionOf(row.Ids[0]) is null)?.Ids[0];

    private static bool Arrives(ReadOnlySpan<KernelRange> ranges)
    {
        foreach (var range in ranges)
        {
            if (range.Disposition == Disposition.Forwarded)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Services that the machine would have, and that would not hear what they follow.</summary>
    private static string? Unfollowed(ServiceSet services, KernelRegisterRanges kernel, ValueArray<Conduit> conduits, Dictionary<FunctionId, Withheld> withheld)
    {
        string[] sentences =
        [
            .. from service in services.Services
               where service.Rows.SelectMany(row => row.Ids).Any(id => services.Contains(id) && !withheld.ContainsKey(id) && Arrives(kernel, conduits, id))
               let unseen = service.Follows.Where(id => conduits.Any(conduit => kernel.Find(conduit, isAArch32: false, 0, id.Value).Disposition == Disposition.Kernel)).ToArray()
               where unseen.Length > 0
               select $"{service.Name} follows {string.Join(", ", unseen.Select(NameOf))}, which this machine's kernel answers unseen",
        ];
        return sentences.Length == 0 ? null : $"{string.Join("; ", sentences)}. Let the host forward them (run --psci daemon), or take the service away (run --without).";
    }

    private static string NameOf(FunctionId id) => FunctionNames.TryGetName(id, out var name) ? name : id.ToString();

    /// <summary>By any conduit, from either state.</summary>
    private static bool Arrives(KernelRegisterRanges kernel, ValueArray<Conduit> conduits, FunctionId id)
    {
        foreach (var conduit in conduits.Span)
        {
            if (kernel.Find(conduit, isAArch32: false, 0, id.Value).Disposition == Disposition.Forwarded
                || (!id.IsSmc64 && kernel.Find(conduit, isAArch32: true, 0, id.Value).Disposition == Disposition.Forwarded))
            {
                return true;
            }
        }

        return false;
    }

    private string Sentence(Service service)
    {
        Shadowed[] calls = [.. Shadowed.Where(call => call.Service == service)];
        string[] versions = [.. Withheld.Values.Where(function => function.Service == service).Select(function => function.VersionName).Distinct()];
        var more = calls.Length > MostNamed ? $" and {calls.Length - MostNamed} more" : "";
        var never = calls.Length > 0 ? $" never sees {string.Join(", ", calls.Take(MostNamed))}{more}{(versions.Length > 0 ? ", and" : "")}" : "";
        return versions.Length > 0
            ? $"{service.Name}{never} serves nothing of its family without {string.Join(" and ", versions)}"
            : $"{service.Name}{never}";
    }
}

/// <summary>Calls that a service has code for and never sees.</summary>
/// <param name="Service">Whose.</param>
/// <param name="Function">Its row.</param>
/// <param name="Call">How the call is made: its identifier, or conduit and immediate.</param>
/// <param name="By">Where it ends instead.</param>
internal sealed record Shadowed(Service Service, ServedFunction Function, string Call, KernelRange By)
{
    public override string ToString() => $"{Function.Name} ({Call}, {Who})";

    private string Who => By.Reason.Length > 0 ? By.Reason : By.Disposition switch
    {
        Disposition.Kernel => "the kernel's",
        Disposition.Denied => "denied",
        Disposition.ClaimedButUnserved => "claimed by the kernel",
        _ => "not forwarded",
    };
}

/// <summary>A function that is not served because another does not arrive.</summary>
/// <param name="Service">Whose.</param>
/// <param name="Function">Its row.</param>
/// <param name="Id">The identifier.</param>
/// <param name="Version">The VERSION function of its family.</param>
internal sealed record Withheld(Service Service, ServedFunction Function, FunctionId Id, FunctionId Version)
{
    public string VersionName => FunctionNames.TryGetName(Version, out var name) ? name
        : Service.Rows.FirstOrDefault(row => row.Ids.Contains(Version))?.Name ?? Version.ToString();
}
