namespace Hypercalls.Sdk;

/// <summary>A function of a family whose VERSION function nobody serves: a guest that asks for the version finds no family (DEN0054, DEN0022, DEN0098, Discovery).</summary>
/// <param name="Service">Whose table has it.</param>
/// <param name="Function">Its row.</param>
/// <param name="Id">The identifier.</param>
/// <param name="Version">The name of the missing function, such as SDEI_VERSION.</param>
public sealed record UnversionedFunction(Service Service, ServedFunction Function, FunctionId Id, string Version)
{
    private static readonly NamedFunction[] s_versions = [.. FunctionNames.Functions.Where(function => function.Name == function.Prefix + "VERSION")];

    private static readonly Dictionary<FunctionId, NamedFunction> s_versionOf = FunctionNames.Functions
        .Join(s_versions, function => function.Family, version => version.Family, (function, version) => (function, version))
        .SelectMany(pair => pair.function.Ids, (pair, id) => (id, pair.version))
        .ToDictionary(pair => pair.id, pair => pair.version);

    internal static IReadOnlyList<UnversionedFunction> Among(IReadOnlyList<Service> services)
    {
        HashSet<FunctionId> served = [.. services.SelectMany(service => service.Rows).SelectMany(row => row.Ids)];
        return
        [
            .. from service in services
               from row in service.Rows
               from id in row.Ids
               where s_versionOf.TryGetValue(id, out var version) && !served.Contains(version.Ids[0])
               select new UnversionedFunction(service, row, id, s_versionOf[id].Name),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Function.Name} ({Id}) of {Service.Name} is not served, because nobody serves {Version}";
}
