using Hypercalls.Daemon.Wire;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>Names to identifiers: first those that services serve, then those that the specifications list.</summary>
internal sealed class FunctionDirectory(ServiceSet services)
{
    /// <summary>The identifier of a name: the SMC64 twin for AArch64, else the SMC32 one.</summary>
    /// <exception cref="BadMessageException">No table knows the name.</exception>
    public FunctionId Resolve(string field, string name, bool isAArch32)
    {
        FromWire.Name(field, name, mayBeEmpty: false);
        if (FunctionId.TryParse(name, out var id))
        {
            return id;
        }

        ServedFunction[] served = [.. services.Services.SelectMany(service => service.Rows)
            .Where(row => row.Name.Equals(name, StringComparison.OrdinalIgnoreCase))];
        if (served is [var row])
        {
            return Twin(row.Ids, isAArch32);
        }

        return served.Length == 0 && FunctionNames.TryGetId(name, out var ids)
            ? Twin(ids, isAArch32)
            : throw new BadMessageException(field, served.Length > 1
                ? $"{name} is ambiguous: {string.Join(", ", served.Select(one => one.Ids[0]))}. Give the ID."
                : $"no table knows {name}. Closest: {string.Join(", ", Closest(name))}.");
    }

    private static FunctionId Twin(ValueArray<FunctionId> ids, bool isAArch32) => ids[isAArch32 ? 0 : ids.Count - 1];

    private IEnumerable<string> Closest(string name) =>
        FunctionNames.Closest(name, services.Services.SelectMany(service => service.Rows).Select(row => row.Name));
}
