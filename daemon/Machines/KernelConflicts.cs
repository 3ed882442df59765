using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>
/// What of the services a machine's kernel keeps from arriving, and what follows: a service that insists is a conflict; a family whose
/// VERSION function does not arrive is not served at all.
/// </summary>
internal sealed class KernelConflicts
{
    private const int MostNamed = 8;

    private KernelConflicts(IReadOnlyList<Shadowed> shadowed)
    {
        Shadowed = shadowed;
        Withheld = shadowed.Where(function => function.Function.Traits.IsVersion).DistinctBy(function => function.Service).ToDictionary(function => function.Service);
    }

    /// <summary>Functions that never arrive, service by service.</summary>
    public IReadOnlyList<Shadowed> Shadowed { get; }

    /// <summary>Services that are not served, each with the VERSION function that does not arrive.</summary>
    public IReadOnlyDictionary<Service, Shadowed> Withheld { get; }

    /// <summary>The services that are served behind the kernel.</summary>
    public ServiceSet Served(ServiceSet loaded) => Withheld.Count == 0 ? loaded : loaded.Without(Withheld.Keys.ToHashSet());

    /// <summary>Finds them. Pure.</summary>
    public static KernelConflicts Of(ServiceSet services, KernelRegisterRanges kernel, ValueArray<Conduit> conduits) =>
        new([.. services.All.SelectMany(service => Functions(services, service, kernel, conduits).Concat(Claims(services, service, kernel, conduits)))]);

    /// <summary>Why the machine cannot be served as it is; null where no service insists on what the kernel keeps.</summary>
    public string? Refusal()
    {
        Shadowed[] insisted = [.. Shadowed.Where(function => !function.Service.YieldsToKernel)];
        return insisted.Length == 0 ? null
            : $"{string.Join("; ", insisted.GroupBy(function => function.Service).Select(Sentence))}. Let the host forward them, take the service away, or attach with --allow-shadowed.";
    }

    /// <summary>One sentence for each service, of what will never arrive.</summary>
    public IEnumerable<string> Sentences() => Shadowed.GroupBy(function => function.Service).Select(Sentence);

    private static string Sentence(IGrouping<Service, Shadowed> ofService)
    {
        Shadowed[] functions = [.. ofService];
        var more = functions.Length > MostNamed ? $" and {functions.Length - MostNamed} more" : "";
        var rest = functions.Any(function => function.Function.Traits.IsVersion) ? ", and without its VERSION function nothing of it is served" : "";
        return $"{ofService.Key.Name} never sees {string.Join(", ", functions.Take(MostNamed))}{more}{rest}";
    }

    private static IEnumerable<Shadowed> Functions(ServiceSet services, Service service, KernelRegisterRanges kernel, ValueArray<Conduit> conduits) =>
        from row in service.Rows
        from id in row.Ids
        where services.Contains(id) && !Ways(conduits, id.IsSmc64).Any(way => kernel.Find(way.Conduit, way.IsAArch32, 0, id.Value).Disposition == Disposition.Forwarded)
        select new Shadowed(service, row, id.ToString(), kernel.Find(conduits[0], isAArch32: false, 0, id.Value));

    /// <summary>Of a claimed immediate all w0 must be kept before it never arrives.</summary>
    private static IEnumerable<Shadowed> Claims(ServiceSet services, Service service, KernelRegisterRanges kernel, ValueArray<Conduit> conduits) =>
        from claim in service.Claims
        where conduits.Contains(claim.Conduit)
            && !Ways([claim.Conduit], isSmc64: false).Any(way => kernel.Of(way.Conduit, way.IsAArch32, isZero: false).ToArray().Any(range => range.Disposition == Disposition.Forwarded))
        let row = services.Find(new(0), claim.Conduit, claim.Immediate, isAArch32: false)!.Value.Function
        select new Shadowed(service, row, claim.ToString(), kernel.Find(claim.Conduit, isAArch32: false, claim.Immediate, 0));

    private static IEnumerable<(Conduit Conduit, bool IsAArch32)> Ways(ValueArray<Conduit> conduits, bool isSmc64) =>
        from conduit in conduits
        from isAArch32 in isSmc64 ? (bool[])[false] : [false, true]
        select (conduit, isAArch32);
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
