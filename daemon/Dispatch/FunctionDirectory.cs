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
        return served switch
        {
            [var row] => Twin(row.Ids, isAArch32),
            [] when FunctionNames.TryGetId(name, out var ids) => Twin(ids, isAArch32),
            [] => throw new BadMessageException(field, Unknown(name)),
            _ => throw new BadMessageException(field, $"{name} is ambiguous: {string.Join(", ", served.Select(row => row.Ids[0]))}. Give the ID."),
        };
    }

    private static FunctionId Twin(ValueArray<FunctionId> ids, bool isAArch32) => ids[isAArch32 ? 0 : ids.Count - 1];

    private string Unknown(string name) => Closest(name) switch
    {
        [] => $"no table knows {name}. Give an ID, or a name that `hypercalls services` lists.",
        var closest => $"no table knows {name}. Did you mean {string.Join(", ", closest)}?",
    };

    private string[] Closest(string name) =>
    [
        .. ClosestNames.To(name, services.Services.SelectMany(service => service.Rows).Select(row => row.Name)).Union(FunctionNames.Closest(name)).Take(5),
    ];
}
