namespace Hypercalls.Sdk;

/// <summary>One call of a guest, as a service sees it (DEN0028, Register use).</summary>
public readonly struct Hypercall
{
    /// <summary>The function called, without the SVE hint.</summary>
    public FunctionId Function { get; init; }

    /// <summary>SMC or HVC.</summary>
    public Conduit Conduit { get; init; }

    /// <summary>Of the instruction, 16 bits; 0 where the host could not know it.</summary>
    public ushort Immediate { get; init; }

    /// <summary>The calling core.</summary>
    public Mpidr Core { get; init; }

    /// <summary>The caller's processor state.</summary>
    public Pstate Pstate { get; init; }

    /// <summary>The machine that calls.</summary>
    public MachineDescription Machine { get; init; }

    /// <summary>When the call arrived. The only clock a function may read: replay gives the same.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>64 random bits of this call. The only randomness a function may use: replay gives the same.</summary>
    public ulong Random { get; init; }

    /// <summary>What the machine is served, by its kernel too, as this caller may call it.</summary>
    public IServedFunctions Served { get; init; }

    /// <summary>Raw x0 to x17. Functions read arguments by the indexer.</summary>
    public CallRegisters Registers { get; init; }

    /// <summary>Which of x6 to x17 the host sent, bit n for x n.</summary>
    public uint Supplied { get; init; }

    /// <summary>An argument: 32 bits wide for an SMC32 function, else 64.</summary>
    /// <param name="register">1 to 17: x1 to x17. Those above x5 only where the function's row says <see cref="FunctionTraits.Uses"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The row does not ask for this register.</exception>
    public ulong this[int register]
    {
        get
        {
            if (register is < 1 or >= CallRegisters.Count || (register > 5 && (Supplied >> register & 1) == 0))
            {
                throw new ArgumentOutOfRangeException(nameof(register), $"x{register} is not among the arguments; the function's row must say Uses({register}).");
            }

            var value = Registers[register];
            // A claimed immediate is no SMCCC call: its w0 says nothing about widths.
            return Function.IsSmc64 || Immediate != 0 ? value : (uint)value;
        }
    }
}

/// <summary>What a machine is served, seen as a whole.</summary>
public interface IServedFunctions
{
    /// <summary>Whether some service, or the kernel, answers this function.</summary>
    /// <param name="id">Any identifier.</param>
    /// <returns>False where a call gives NOT_SUPPORTED before any service runs.</returns>
    bool Contains(FunctionId id);
}
