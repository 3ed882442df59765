namespace Hypercalls.Sdk;

/// <summary>What the host says of a machine when it attaches.</summary>
public sealed record MachineDescription
{
    /// <summary>Its name, unique among the attached machines.</summary>
    public required string Name { get; init; }

    /// <summary>Every core the machine has, with its power at the time of attaching.</summary>
    public ValueArray<Core> Cores { get; init; }

    /// <summary>Guest physical RAM.</summary>
    public ValueArray<MemoryRange> Ram { get; init; }

    /// <summary>The instructions by which calls of this guest come.</summary>
    public ValueArray<Conduit> Conduits { get; init; } = [Conduit.Smc, Conduit.Hvc];

    /// <summary>1 or 2: the exception level of the guest that calls.</summary>
    public int ClientEl { get; init; } = 1;

    /// <summary>The guest begins in AArch32 state.</summary>
    public bool IsAArch32 { get; init; }

    /// <summary>Interrupts that services can take from the guest; empty where the host offers none.</summary>
    public ValueArray<InterruptRange> Interrupts { get; init; }

    /// <summary>The host supplies guest memory and registers within an exit (<see cref="Need"/>). Where it does not, a function that asks fails.</summary>
    public bool Supplies { get; init; } = true;

    /// <summary>ID registers by their architectural names, such as ID_AA64PFR0_EL1.</summary>
    public ValueArray<NamedRegister> IdRegisters { get; init; }

    /// <summary>The range of RAM that holds an address.</summary>
    /// <param name="address">A guest physical address.</param>
    /// <returns>Null where the host lists none.</returns>
    public MemoryRange? RamAt(ulong address)
    {
        foreach (var range in Ram.Span)
        {
            if (range.Contains(address))
            {
                return range;
            }
        }

        return null;
    }

    /// <summary>Whether services can take an interrupt from the guest.</summary>
    /// <param name="intid">Any INTID.</param>
    /// <returns>True where it lies in one of <see cref="Interrupts"/>.</returns>
    public bool Offers(uint intid)
    {
        foreach (var range in Interrupts.Span)
        {
            if (intid >= range.First && intid <= range.Last)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The place of a core in <see cref="Cores"/>.</summary>
    /// <param name="core">Its affinity.</param>
    /// <returns>From 0; −1 where the machine has no such core.</returns>
    public int IndexOf(Mpidr core)
    {
        var cores = Cores.Span;
        for (var i = 0; i < cores.Length; i++)
        {
            if (cores[i].Mpidr == core)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>One core of a machine.</summary>
/// <param name="Mpidr">Its affinity.</param>
/// <param name="Power">As the host knows it.</param>
public readonly record struct Core(Mpidr Mpidr, CorePower Power);

/// <summary>What a host can say of a core's power.</summary>
public enum CorePower : byte
{
    /// <summary>It runs.</summary>
    On = 1,

    /// <summary>It does not run until it is started.</summary>
    Off = 2,

    /// <summary>It waits for a wake-up event.</summary>
    Suspended = 3,

    /// <summary>It cannot be started.</summary>
    Unavailable = 4,
}

/// <summary>A range of guest physical addresses.</summary>
/// <param name="Base">The first address.</param>
/// <param name="Size">In bytes, above 0; base + size does not pass 2^64.</param>
public readonly record struct MemoryRange(ulong Base, ulong Size)
{
    /// <summary>Whether an address lies inside.</summary>
    /// <param name="address">A guest physical address.</param>
    /// <returns>True from the base to the last byte.</returns>
    public bool Contains(ulong address) => address - Base < Size && address >= Base;
}

/// <summary>A range of interrupts.</summary>
/// <param name="First">The first INTID.</param>
/// <param name="Last">The last, not below the first.</param>
public readonly record struct InterruptRange(uint First, uint Last);

/// <summary>A register by name.</summary>
/// <param name="Name">The architecture's name.</param>
/// <param name="Value">64 bits.</param>
public readonly record struct NamedRegister(string Name, ulong Value);
