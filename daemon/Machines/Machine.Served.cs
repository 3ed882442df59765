using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What a machine is served: by its kernel, and behind it by the services.</summary>
internal sealed partial class Machine
{
    /// <summary>By conduit and execution state, made once: every call asks.</summary>
    private volatile IServedFunctions[] _served;

    public KernelRegisterRanges Kernel { get; private set; } = KernelRegisterRanges.AllForwarded;

    /// <summary>What a caller can expect to be answered, its kernel's share included.</summary>
    public IServedFunctions Served(Conduit conduit, bool isAArch32) => _served[Place(conduit, isAArch32)];

    /// <summary>The host has said what its kernel keeps.</summary>
    public void Ready(KernelRegisterRanges kernel)
    {
        Kernel = kernel;
        _served = Views();
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
