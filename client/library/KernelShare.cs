using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>The kernel register of hosts that know it without asking a kernel.</summary>
public static class KernelShare
{
    /// <summary>Everything is forwarded: there is no kernel between the guest and the host.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <returns>Complete over conduits, execution states, immediates and w0.</returns>
    public static Ready None(string reason)
    {
        var ready = new Ready();
        foreach (var conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc])
        {
            foreach (var state in (ExecutionState[])[ExecutionState.Aarch64, ExecutionState.Aarch32])
            {
                ready.Ranges.Add(new KernelRange
                {
                    Conduit = conduit,
                    ExecutionState = state,
                    Immediate = ImmediateRule.Any,
                    First = 0,
                    Last = uint.MaxValue,
                    Disposition = Disposition.Forwarded,
                    Reason = reason,
                });
            }
        }

        return ready;
    }
}
