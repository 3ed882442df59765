namespace Hypercalls.Sdk;

/// <summary>A function of a family whose VERSION function nobody serves: a guest that asks for the version finds no family (DEN0054, DEN0022, DEN0098, Discovery).</summary>
/// <param name="Service">Whose table has it.</param>
/// <param name="Function">Its row.</param>
/// <param name="Id">The identifier.</param>
/// <param name="Version">The missing function, such as SDEI_VERSION.</param>
public sealed record UnversionedFunction(Service Service, ServedFunction Function, FunctionId Id, FunctionId Version)
{
    private static readonly Dictionary<FunctionId, FunctionId> s_versionOf = FunctionNames.Functions
        .Join(
            FunctionNames.Functions.Where(function => function.Name == function.Prefix + "VERSION"),
            function => function.Family,
            version => version.Family,
            (function, version) => function.Ids.Select(id => (id, version.Ids[0])))
        .SelectMany(pairs => pairs)
        .ToDictionary();

    /// <summary>The VERSION function of the family that a specification puts a function into.</summary>
    /// <param name="id">The function, without hint.</param>
    /// <returns>Null where no specification defines the function, or its family has no version.</returns>
    public static FunctionId? VersionOf(FunctionId id) => s_versionOf.TryGetValue(id, out var version) ? version : null;

    internal static IReadOnlyList<UnversionedFunction> Among(IReadOnlyList<Service> services)
    {
        HashSet<FunctionId> served = [.. services.SelectMany(service => service.Rows).SelectMany(row => row.Ids)];
        return
        [
            .. from service in services
               from row in service.Rows
               from id in row.Ids
               where VersionOf(id) is { } version && !served.Contains(version)
               select new UnversionedFunction(service, row, id, VersionOf(id)!.Value),
        ];
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Function.Name} ({Id}) of {Service.Name} is not served, because nobody serves {VersionName}";

    /// <summary>The specification's name of the missing function.</summary>
    public string VersionName => FunctionNames.TryGetName(Version, out var name) ? name : Version.ToString();
}
