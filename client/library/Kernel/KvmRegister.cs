using Hypercalls.Protos;

namespace Hypercalls.Client.Kernel;

/// <summary>The kernel register of a KVM machine: what the kernel does with each call, complete over conduits, execution states, immediates and w0.</summary>
public static class KvmRegister
{
    private const string BeforeSmc = "KVM before Linux 6.4 answers every SMC with NOT_SUPPORTED";
    private const string ImmediateOfSmc = "KVM answers SMC with an immediate other than 0 with NOT_SUPPORTED";
    private const string Filter = "SMCCC filter";

    /// <summary>What a host reports as Ready. A pure function: no kernel is asked.</summary>
    /// <param name="firmware">What the host has read and installed.</param>
    /// <returns>Sorted ranges, adjacent ones that say the same merged.</returns>
    /// <exception cref="ArgumentException">The filter is none that a kernel could have taken.</exception>
    public static Ready Of(KvmFirmware firmware)
    {
        ArgumentNullException.ThrowIfNull(firmware);
        Check(firmware);
        var ready = new Ready();
        foreach (var conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc])
        {
            foreach (var state in (ExecutionState[])[ExecutionState.Aarch64, ExecutionState.Aarch32])
            {
                // An AArch32 SMC has no immediate in its syndrome, and of an HVC's the kernel takes no notice.
                var seesImmediate = conduit == Conduit.Smc && state == ExecutionState.Aarch64 && firmware.HasFilter;
                Add(ready, conduit, state, seesImmediate ? ImmediateRule.Zero : ImmediateRule.Any, Starts(firmware), id => Decide(firmware, conduit, state, id));
                if (seesImmediate)
                {
                    Add(ready, conduit, state, ImmediateRule.NotZero, [0], _ => new(Disposition.Denied, ImmediateOfSmc));
                }
            }
        }

        return ready;
    }

    private static void Check(KvmFirmware firmware)
    {
        FilterRange[] sorted = [.. firmware.Filter.OrderBy(range => range.First)];
        var wrong = firmware is { HasFilter: false, Filter.Count: > 0 } ? "a kernel without the SMCCC filter has no ranges"
            : sorted.Any(range => range.Last < range.First) ? "a range ends before it begins"
            : sorted.Zip(sorted.Skip(1)).Any(pair => pair.Second.First <= pair.First.Last) ? "two ranges overlap"
            : sorted.Any(range => ForwardRanges.Of([(range.First, range.Last)]) is not [var whole] || (whole.First, whole.Last) != (range.First, range.Last)) ? "a range touches those that are reserved"
            : null;
        if (wrong is not null)
        {
            throw new ArgumentException($"The filter cannot have been installed: {wrong}.", nameof(firmware));
        }
    }

    private static KernelVerdict Decide(KvmFirmware firmware, Conduit conduit, ExecutionState state, uint id)
    {
        if (conduit == Conduit.Smc && !firmware.HasFilter)
        {
            return new(Disposition.Denied, BeforeSmc);
        }

        var action = ForwardRanges.IsReserved(id) ? FilterAction.Handle : ActionOf(firmware, id);
        return action switch
        {
            FilterAction.Forward => new(Disposition.Forwarded, Filter),
            FilterAction.Deny => new(Disposition.Denied, Filter),
            _ => KvmFunctions.Decide(firmware, conduit, state == ExecutionState.Aarch32, id),
        };
    }

    private static FilterAction ActionOf(KvmFirmware firmware, uint id)
    {
        foreach (var range in firmware.Filter)
        {
            if (id >= range.First && id <= range.Last)
            {
                return range.Action;
            }
        }

        return FilterAction.Handle;
    }

    /// <summary>Where a verdict can begin to differ from that of the ID before.</summary>
    private static SortedSet<ulong> Starts(KvmFirmware firmware)
    {
        var starts = new SortedSet<ulong> { 0 };
        foreach (var function in KvmFunctions.Table)
        {
            Between(function.First, function.Last);
        }

        foreach (var range in firmware.Filter)
        {
            Between(range.First, range.Last);
        }

        foreach (var range in ForwardRanges.All)
        {
            Between(range.First, range.Last);
        }

        starts.Remove(1ul << 32);
        return starts;

        void Between(uint first, uint last)
        {
            starts.Add(first);
            starts.Add(last + 1ul);
        }
    }

    private static void Add(Ready ready, Conduit conduit, ExecutionState state, ImmediateRule immediate, SortedSet<ulong> starts, Func<uint, KernelVerdict> decide)
    {
        KernelRange? open = null;
        foreach (var start in starts)
        {
            var verdict = decide((uint)start);
            if (open is not null && (open.Disposition, open.Reason) == (verdict.Disposition, verdict.Reason))
            {
                continue;
            }

            if (open is not null)
            {
                open.Last = (uint)(start - 1);
            }

            open = new()
            {
                Conduit = conduit,
                ExecutionState = state,
                Immediate = immediate,
                First = (uint)start,
                Last = uint.MaxValue,
                Disposition = verdict.Disposition,
                Reason = verdict.Reason,
            };
            ready.Ranges.Add(open);
        }
    }
}
