using System.Collections;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>What the specifications demand of everyone who answers VERSION, which is the first of each family (DEN0022, DEN0054, DEN0028, DEN0098, DEN0057).</summary>
internal static class MandatoryFunctions
{
    private static readonly Dictionary<string, Family> s_families = new()
    {
        ["PSCI"] = new()
        {
            // Name             since
            { "PSCI_VERSION",  0, 2 },
            { "CPU_SUSPEND",   0, 2 },
            { "CPU_OFF",       0, 2 },
            { "CPU_ON",        0, 2 },
            { "AFFINITY_INFO", 0, 2 },
            { "SYSTEM_OFF",    0, 2 },
            { "SYSTEM_RESET",  0, 2 },
            { "PSCI_FEATURES", 1, 0 },
        },
        ["SDEI"] = new()
        {
            { "SDEI_VERSION",                   1, 0 },
            { "SDEI_EVENT_REGISTER",            1, 0 },
            { "SDEI_EVENT_ENABLE",              1, 0 },
            { "SDEI_EVENT_DISABLE",             1, 0 },
            { "SDEI_EVENT_CONTEXT",             1, 0 },
            { "SDEI_EVENT_COMPLETE",            1, 0 },
            { "SDEI_EVENT_COMPLETE_AND_RESUME", 1, 0 },
            { "SDEI_EVENT_UNREGISTER",          1, 0 },
            { "SDEI_EVENT_STATUS",              1, 0 },
            { "SDEI_EVENT_GET_INFO",            1, 0 },
            { "SDEI_EVENT_ROUTING_SET",         1, 0 },
            { "SDEI_PE_MASK",                   1, 0 },
            { "SDEI_PE_UNMASK",                 1, 0 },
            { "SDEI_INTERRUPT_BIND",            1, 0 },
            { "SDEI_INTERRUPT_RELEASE",         1, 0 },
            { "SDEI_EVENT_SIGNAL",              1, 0 },
            { "SDEI_FEATURES",                  1, 0 },
            { "SDEI_PRIVATE_RESET",             1, 0 },
            { "SDEI_SHARED_RESET",              1, 0 },
        },
        ["SMCCC"] = new()
        {
            { "SMCCC_VERSION",       1, 1 },
            { "SMCCC_ARCH_FEATURES", 1, 1 },
        },
        ["TRNG"] = new()
        {
            { "TRNG_VERSION",  1, 0 },
            { "TRNG_FEATURES", 1, 0 },
            { "TRNG_GET_UUID", 1, 0 },
            { "TRNG_RND",      1, 0 },
        },
        ["PV time"] = new()
        {
            { "PV_TIME_FEATURES", 0, 0 },
            { "PV_TIME_ST",       0, 0 },
        },
    };

    /// <summary>Those of a family; none where nothing is known of it.</summary>
    public static IReadOnlyList<MandatoryFunction> Of(string family) => s_families.TryGetValue(family, out var functions) ? functions.Functions : [];

    private sealed class Family : IEnumerable<MandatoryFunction>
    {
        public List<MandatoryFunction> Functions { get; } = [];

        public void Add(string name, int major, int minor) =>
            Functions.Add(new(name, FunctionNames.TryGetId(name, out var ids) ? ids : throw new ArgumentException($"{name} is no function.", nameof(name)), new(major, minor)));

        public IEnumerator<MandatoryFunction> GetEnumerator() => Functions.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>A function that a specification demands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Ids">Its identifiers, all of which must be there.</param>
/// <param name="Since">The version of the specification that brought the demand.</param>
internal sealed record MandatoryFunction(string Name, ValueArray<FunctionId> Ids, Version Since);
