namespace Hypercalls.Sdk;

/// <summary>
/// What a function lacks to answer. The state stays as it is; the host supplies it within the same exit, outside the machine's turn, and the function is called again
/// with the same call and what it asked for. What was supplied once is not asked for again: a guest that changes its memory meanwhile changes nothing.
/// </summary>
public sealed record Need
{
    /// <summary>How often one call may ask.</summary>
    public const int MostRounds = 8;

    /// <summary>Guest memory, together at most <see cref="GuestRange.MostBytes"/>: read by <see cref="Hypercall.TryRead(GuestRange, out ReadOnlySpan{byte})"/>.</summary>
    public ValueArray<GuestRange> Memory { get; init; }

    /// <summary>x6 to x17: read by the indexer of the call. A row that always reads them says <see cref="FunctionTraits.Uses"/> instead, and they come with the call.</summary>
    public ValueArray<int> Registers { get; init; }

    /// <summary>System registers of the calling core: read by <see cref="Hypercall.TryRead(SystemRegister, out ulong)"/>.</summary>
    public ValueArray<SystemRegister> System { get; init; }

    /// <summary>What a machine supplies that has never run.</summary>
    /// <param name="call">Whose registers x6 to x17 count.</param>
    /// <returns>Memory and system registers are zero.</returns>
    public Supply Unused(Hypercall call) => new(
        [.. Memory.Select(range => new GuestBytes(range, ValueArray.Of<byte>(new byte[range.Size])))],
        [.. Registers.Select(register => new RegisterValue(register, call.Registers[register]))],
        [.. System.Select(register => new SystemRegisterValue(register, 0))]);

    /// <summary>Throws where no host could supply it, or where the call has it.</summary>
    /// <exception cref="InvalidOperationException">Says what is wrong.</exception>
    internal void Check(in Hypercall call)
    {
        if (call.Fetched?.Rounds >= MostRounds)
        {
            throw new InvalidOperationException($"The function asks the host for the {MostRounds + 1}th time in one call; {MostRounds} times are the most.");
        }

        var bytes = 0;
        foreach (var range in Memory.Span)
        {
            bytes += range.Size;
            if (range.Size == 0 || call.TryRead(range, out _))
            {
                throw new InvalidOperationException($"The function asks for memory that it has: {range}.");
            }
        }

        foreach (var register in Registers.Span)
        {
            if (register is < 6 or >= CallRegisters.Count)
            {
                throw new InvalidOperationException($"The function asks for x{register}; x6 to x17 can be asked for.");
            }
        }

        foreach (var register in System.Span)
        {
            if (register is < SystemRegister.SpEl0 or > SystemRegister.SctlrElc || call.TryRead(register, out _))
            {
                throw new InvalidOperationException($"The function asks for the system register {register}; there are {SystemRegister.SpEl0} to {SystemRegister.SctlrElc}, each once.");
            }
        }

        if (bytes > GuestRange.MostBytes)
        {
            throw new InvalidOperationException($"The function asks for {bytes} bytes at once; {GuestRange.MostBytes} are the most.");
        }

        if (bytes == 0 && Registers.Count == 0 && System.Count == 0)
        {
            throw new InvalidOperationException("The function asks the host for nothing.");
        }
    }
}

/// <summary>Bytes of guest memory as a host supplied them: a copy.</summary>
/// <param name="Range">Where they stood.</param>
/// <param name="Data">As many as the range has.</param>
public readonly record struct GuestBytes(GuestRange Range, ValueArray<byte> Data);

/// <summary>A host's reply to a <see cref="Need"/>.</summary>
/// <param name="Memory">For each range that was asked for, in that order.</param>
/// <param name="Registers">For each register that was asked for.</param>
/// <param name="System">For each system register that was asked for.</param>
public sealed record Supply(ValueArray<GuestBytes> Memory, ValueArray<RegisterValue> Registers, ValueArray<SystemRegisterValue> System)
{
    /// <summary>Whether it is what was asked for, all of it and nothing else.</summary>
    /// <param name="need">What was asked for.</param>
    /// <returns>False where anything is missing, other than asked for, or of another size.</returns>
    public bool Answers(Need need)
    {
        ArgumentNullException.ThrowIfNull(need);
        return Memory.Count == need.Memory.Count && Memory.Select((bytes, n) => bytes.Range == need.Memory[n] && bytes.Data.Count == need.Memory[n].Size).All(fits => fits)
            && Registers.Select(register => register.Index).SequenceEqual(need.Registers)
            && System.Select(register => register.Register).SequenceEqual(need.System);
    }
}

/// <summary>All that was supplied for one call.</summary>
internal sealed record Fetched(int Rounds, ValueArray<GuestBytes> Memory, ValueArray<SystemRegisterValue> System)
{
    public static Fetched With(Fetched? before, Supply supply) => new(
        (before?.Rounds ?? 0) + 1, [.. before?.Memory ?? [], .. supply.Memory], [.. before?.System ?? [], .. supply.System]);
}
