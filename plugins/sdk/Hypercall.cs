using System.Runtime.CompilerServices;

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

    /// <summary>256 random bits of this call, from the operating system's generator. The only randomness a function may use: replay gives the same.</summary>
    public RandomBits Random { get; init; }

    /// <summary>What the machine is served, by its kernel too, as this caller may call it.</summary>
    public IServedFunctions Served { get; init; }

    /// <summary>Raw x0 to x17. Functions read arguments by the indexer.</summary>
    public CallRegisters Registers { get; init; }

    /// <summary>Which of x6 to x17 the host sent, bit n for x n.</summary>
    public uint Supplied { get; init; }

    internal Fetched? Fetched { get; init; }

    /// <summary>Guest memory that the caller names.</summary>
    /// <param name="base">A guest physical address.</param>
    /// <param name="size">In bytes.</param>
    /// <param name="range">To be asked for by <see cref="Need"/>, or written to by <see cref="GuestRange.Write"/>.</param>
    /// <returns>False where it is empty, longer than <see cref="GuestRange.MostBytes"/>, wraps, or is not all RAM.</returns>
    public bool TryRange(ulong @base, ulong size, out GuestRange range) => GuestRange.TryCreate(Machine, @base, size, out range);

    /// <summary>Guest memory as it was when it was supplied.</summary>
    /// <param name="range">A range that was asked for, or a part of one.</param>
    /// <param name="bytes">A copy, the same at each look.</param>
    /// <returns>False where the function has to ask for it: <c>return new Need { Memory = [range] };</c>.</returns>
    public bool TryRead(GuestRange range, out ReadOnlySpan<byte> bytes)
    {
        if (Fetched is not null && range.Size > 0)
        {
            foreach (var block in Fetched.Memory.Span)
            {
                if (block.Range.Contains(range))
                {
                    bytes = block.Data.Span.Slice((int)(range.Base - block.Range.Base), range.Size);
                    return true;
                }
            }
        }

        bytes = default;
        return false;
    }

    /// <summary>A system register of the calling core as it was when it was supplied.</summary>
    /// <param name="register">Which.</param>
    /// <param name="value">64 bits.</param>
    /// <returns>False where the function has to ask for it: <c>return new Need { System = [register] };</c>.</returns>
    public bool TryRead(SystemRegister register, out ulong value)
    {
        if (Fetched is not null)
        {
            foreach (var supplied in Fetched.System.Span)
            {
                if (supplied.Register == register)
                {
                    value = supplied.Value;
                    return true;
                }
            }
        }

        value = 0;
        return false;
    }

    /// <summary>The same call with what its host supplied.</summary>
    /// <param name="supply">The reply to what the function asked for last.</param>
    /// <returns>To be served again.</returns>
    public Hypercall With(Supply supply)
    {
        ArgumentNullException.ThrowIfNull(supply);
        var (registers, supplied) = (Registers, Supplied);
        foreach (var register in supply.Registers.Span)
        {
            registers[register.Index] = register.Value;
            supplied |= 1u << register.Index;
        }

        return this with { Registers = registers, Supplied = supplied, Fetched = Fetched.With(Fetched, supply) };
    }

    /// <summary>An argument: 32 bits wide for an SMC32 function, else 64.</summary>
    /// <param name="register">1 to 17: x1 to x17. Those above x5 only where the function's row says <see cref="FunctionTraits.Uses"/>, or the function has asked by <see cref="Need"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Neither the row nor the function has asked for this register.</exception>
    public ulong this[int register]
    {
        get
        {
            if (register is < 1 or >= CallRegisters.Count || (register > 5 && (Supplied >> register & 1) == 0))
            {
                throw new ArgumentOutOfRangeException(nameof(register), $"x{register} is not among the arguments; the function's row must say Uses({register}), or the function ask for it by Need.");
            }

            var value = Registers[register];
            // A claimed immediate is no SMCCC call: its w0 says nothing about widths.
            return Function.IsSmc64 || Immediate != 0 ? value : (uint)value;
        }
    }
}

/// <summary>256 random bits, 64 at each index.</summary>
[InlineArray(4)]
public struct RandomBits
{
    private ulong _first;
}

/// <summary>What a machine is served, seen as a whole.</summary>
public interface IServedFunctions
{
    /// <summary>Whether some service, or the kernel, answers this function.</summary>
    /// <param name="id">Any identifier.</param>
    /// <returns>False where a call gives NOT_SUPPORTED before any service runs.</returns>
    bool Contains(FunctionId id);
}
