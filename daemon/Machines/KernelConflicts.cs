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

    /// <summary>Finds them. Pure.</summary>
    public static KernelConflicts Of(ServiceSet services, KernelRegisterRanges kernel, ValueArray<Conduit> conduits) => new(
    [
        .. from service in services.All
           from row in service.Rows
           from id in row.Ids
           where services.Contains(id) && !Arrives(kernel, conduits, id)
           select new Shadowed(service, row, id, kernel.Find(conduits[0], isAArch32: false, immediate: 0, id.Value)),
    ]);

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

    private static bool Arrives(KernelRegisterRanges kernel, ValueArray<Conduit> conduits, FunctionId id)
    {
        foreach (var conduit in conduits.Span)
        {
            if (kernel.Find(conduit, isAArch32: false, immediate: 0, id.Value).Disposition == Disposition.Forwarded
                || (!id.IsSmc64 && kernel.Find(conduit, isAArch32: true, immediate: 0, id.Value).Disposition == Disposition.Forwarded))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>A function that a service has and never sees.</summary>
internal sealed record Shadowed(Service Service, ServedFunction Function, FunctionId Id, KernelRange By)
{
    public override string ToString() => $"{Function.Name} ({Id}, {Who})";

    private string Who => By.Reason.Length > 0 ? By.Reason : By.Disposition switch
    {
        Disposition.Kernel => "the kernel's",
        Disposition.Denied => "denied",
        Disposition.ClaimedButUnserved => "claimed by the kernel",
        _ => "not forwarded",
    };
}
