namespace Hypercalls.Sdk;

/// <summary>Which identifier and which immediate leads to which row.</summary>
public sealed partial class ServiceSet
{
    private Dictionary<uint, Route> Routes(IReadOnlySet<FunctionId> unserved)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var routes = new Dictionary<uint, Route>();
        for (var i = 0; i < All.Count; i++)
        {
            if (!names.Add(All[i].Name))
            {
                throw new ServiceConflictException($"Two services are named {All[i].Name}.");
            }

            foreach (var row in All[i].Rows)
            {
                foreach (var id in row.Ids)
                {
                    CheckOwner(All[i], row, id);
                    if (!routes.TryAdd(id.Value, new(i, row, new(All[i], row.Name))))
                    {
                        throw new ServiceConflictException(
                            $"{id} is claimed by {All[routes[id.Value].Service].Name} ({routes[id.Value].Function.Name}) and by {All[i].Name} ({row.Name}).");
                    }
                }
            }
        }

        foreach (var id in unserved)
        {
            routes.Remove(id.Value);
        }

        return routes;
    }

    /// <summary>A service that says whose its functions are has no others.</summary>
    private static void CheckOwner(Service service, ServedFunction row, FunctionId id)
    {
        if (service.Owners.Count > 0 && !service.Owners.Any(identity => identity.Owner == GeneralQueries.OwnerOf(id)))
        {
            throw new ServiceConflictException(
                $"{id} ({row.Name}) is a function of {GeneralQueries.OwnerOf(id)?.ToString() ?? "no owner with general queries"}, and {service.Name} declares {string.Join(" and ", service.Owners.Select(identity => identity.Owner))} alone.");
        }
    }

    private Dictionary<ImmediateClaim, Route> ClaimRoutes()
    {
        var routes = new Dictionary<ImmediateClaim, Route>();
        for (var i = 0; i < All.Count; i++)
        {
            foreach (var claim in All[i].Claims)
            {
                if (claim.Immediate == 0)
                {
                    throw new ServiceConflictException($"{All[i].Name} claims {claim}, the immediate of every SMCCC call.");
                }

                var function = All[i].ClaimedFunction
                    ?? throw new ServiceConflictException($"{All[i].Name} claims {claim} but has no code for it.");
                if (!routes.TryAdd(claim, new(i, function, new(All[i], function.Name))))
                {
                    throw new ServiceConflictException(
                        $"{claim} is claimed by {All[routes[claim].Service].Name} and by {All[i].Name}.");
                }
            }
        }

        return routes;
    }

    private sealed record Route(int Service, ServedFunction Function, Stay Stay);

    /// <summary>What one kind of caller is served, the kernel's share included.</summary>
    private sealed class View(ServiceSet services, Conduit conduit, bool isAArch32, IKernelShare? kernel) : IServedFunctions
    {
        public bool Contains(FunctionId id)
        {
            if (id.HasReservedBits || (isAArch32 && id.IsSmc64))
            {
                return false;
            }

            return (kernel?.Of(id, conduit, isAArch32) ?? KernelAnswer.Forwarded) switch
            {
                KernelAnswer.Answered => true,
                KernelAnswer.Forwarded => services.FindRoute(id, conduit, 0, isAArch32) is not null,
                _ => false,
            };
        }
    }
}
