using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>
/// Interrupts that have stopped a core and of which the daemon has not heard, as the mailboxes keep them: told again until an answer is applied. Under one lock: any core's
/// answer may end one, and a core that goes off leaves the shared ones to another.
/// </summary>
/// <param name="cores">Those of each core.</param>
/// <param name="powers">Who runs.</param>
/// <param name="owes">Told which core has something to tell that was another's.</param>
internal sealed class OwedInterrupts(IReadOnlyList<InterruptSet> cores, CorePowers powers, Action<int> owes)
{
    private readonly Lock _gate = new();

    /// <summary>The one that this core is to tell of; null where there is none.</summary>
    public uint? Next(int core)
    {
        lock (_gate)
        {
            return cores[core].First;
        }
    }

    /// <summary>It stopped this core, and nobody may have heard.</summary>
    public void Add(int core, uint intid)
    {
        lock (_gate)
        {
            cores[core].Add(intid);
        }
    }

    /// <summary>An answer is applied on this core: the daemon has heard of the interrupt that stopped it, and of those that end or go back.</summary>
    public void Answered(int core, uint? intid, InterruptSet ended, InterruptSet returned)
    {
        if (intid is null && ended.First is null && returned.First is null)
        {
            return;
        }
        lock (_gate)
        {
            if (intid is { } heard)
            {
                cores[core].Remove(heard);
            }
            cores[core].Remove(ended);
            foreach (var owed in cores)
            {
                owed.RemoveShared(ended);
                owed.Remove(returned);
            }
        }
    }

    /// <summary>This core is off: its own end when it starts again, the shared ones are for another to tell.</summary>
    public void CoreStopped(int core)
    {
        lock (_gate)
        {
            cores[core].RemovePrivate();
            if (cores[core].First is null)
            {
                return;
            }
            for (var other = 0; other < cores.Count; other++)
            {
                if (other != core && powers.IsOn(other))
                {
                    cores[other].Add(cores[core]);
                    cores[core].Become([]);
                    owes(other);
                    return;
                }
            }
        }
    }

    /// <summary>This core starts: it tells what cores that are off have left, as nobody ran when they went.</summary>
    public void CoreStarts(int core)
    {
        lock (_gate)
        {
            for (var other = 0; other < cores.Count; other++)
            {
                if (other != core && cores[other].First is not null && !powers.IsOn(other))
                {
                    cores[core].Add(cores[other]);
                    cores[other].Become([]);
                }
            }
        }
    }

    /// <summary>A reset leaves none.</summary>
    public void Forget(int core)
    {
        lock (_gate)
        {
            cores[core].Become([]);
        }
    }
}
