using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What a machine is served: by its kernel, and behind it by the services.</summary>
internal sealed partial class Machine
{
    private readonly ServiceSet _loaded;
    /// <summary>Those of the loaded services that are served here: its kernel may keep a family's VERSION function.</summary>
    private volatile ServiceSet _services;
    /// <summary>By conduit and execution state, made once: every call asks.</summary>
    private volatile IServedFunctions[] _served;

    private volatile TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True once the host that is attached has said what its kernel keeps, false where it left before: no exit is served until then.</summary>
    public Task<bool> IsReady => _ready.Task;

    /// <summary>Whether any host of this machine ever was: its state is worth keeping.</summary>
    public bool HasBeenReady { get; private set; }

    public KernelRegisterRanges Kernel { get; private set; } = KernelRegisterRanges.AllForwarded;

    /// <summary>What the kernel keeps from the services.</summary>
    public KernelConflicts Conflicts { get; private set; }

    /// <summary>What a caller can expect to be answered, its kernel's share included.</summary>
    public IServedFunctions Served(Conduit conduit, bool isAArch32) => _served[Place(conduit, isAArch32)];

    /// <summary>The host has said what its kernel keeps.</summary>
    /// <exception cref="OutOfOrderException">A service insists on some of it, and the host does not allow that.</exception>
    public void Ready(KernelRegisterRanges kernel, bool allowShadowed)
    {
        var conflicts = KernelConflicts.Of(_loaded, kernel, Description.Conduits);
        if (!allowShadowed && conflicts.Refusal() is { } refusal)
        {
            throw new OutOfOrderException($"ready: {refusal}");
        }

        lock (_lock)
        {
            (Kernel, Conflicts) = (kernel, conflicts);
            _services = conflicts.Served(_loaded);
            _served = Views();
            HasBeenReady = true;
        }

        _ready.TrySetResult(true);
    }

    private static int Place(Conduit conduit, bool isAArch32) => (conduit == Conduit.Hvc ? 2 : 0) + (isAArch32 ? 1 : 0);

    private IServedFunctions[] Views()
    {
        var views = new IServedFunctions[4];
        foreach (var conduit in (ReadOnlySpan<Conduit>)[Conduit.Smc, Conduit.Hvc])
        {
            foreach (var isAArch32 in (ReadOnlySpan<bool>)[false, true])
            {
                views[Place(conduit, isAArch32)] = _services.SeenBy(conduit, isAArch32, Kernel);
            }
        }

        return views;
    }
}
