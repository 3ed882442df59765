using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What one machine is served: by its kernel, and behind it by the services. Immutable: a host that attaches again brings another.</summary>
internal sealed class ServedMachine
{
    /// <summary>By conduit and execution state, made once: every call asks.</summary>
    private readonly IServedFunctions[] _views;

    public ServedMachine(ServiceSet loaded, KernelRegisterRanges kernel, ValueArray<Conduit> conduits)
        : this(loaded, kernel, conduits, KernelConflicts.Of(loaded, kernel, conduits), null)
    {
    }

    private ServedMachine(ServiceSet loaded, KernelRegisterRanges kernel, ValueArray<Conduit> conduits, KernelConflicts conflicts, ServiceSet? services)
    {
        (Loaded, Kernel, Conduits, Conflicts) = (loaded, kernel, conduits, conflicts);
        Services = services ?? (conflicts.Withheld.Count == 0 ? loaded : loaded.Without(conflicts.Withheld.Keys.ToHashSet()));
        _views = new IServedFunctions[4];
        foreach (var conduit in (ReadOnlySpan<Conduit>)[Conduit.Smc, Conduit.Hvc])
        {
            foreach (var isAArch32 in (ReadOnlySpan<bool>)[false, true])
            {
                _views[Place(conduit, isAArch32)] = Services.SeenBy(conduit, isAArch32, Kernel);
            }
        }
    }

    /// <summary>Every service of the daemon.</summary>
    public ServiceSet Loaded { get; }

    /// <summary>Those of them, and of their functions, that this machine is served.</summary>
    public ServiceSet Services { get; }

    public KernelRegisterRanges Kernel { get; }

    public ValueArray<Conduit> Conduits { get; }

    /// <summary>What the kernel keeps from the services.</summary>
    public KernelConflicts Conflicts { get; }

    /// <summary>What a caller can expect to be answered, its kernel's share included.</summary>
    public IServedFunctions To(Conduit conduit, bool isAArch32) => _views[Place(conduit, isAArch32)];

    /// <summary>The same, after one of the services has not come back.</summary>
    public ServedMachine Without(Service failed) => new(Loaded, Kernel, Conduits, Conflicts, Services.Without(failed));

    private static int Place(Conduit conduit, bool isAArch32) => (conduit == Conduit.Hvc ? 2 : 0) + (isAArch32 ? 1 : 0);
}
