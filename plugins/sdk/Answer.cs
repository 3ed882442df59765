namespace Hypercalls.Sdk;

/// <summary>What a function gives back: result registers and at most one effect. <c>default</c> is NOT_SUPPORTED (DEN0028, Unknown function identifier).</summary>
public readonly record struct Answer
{
    // Kept inverted, so that default(Answer) has x0 all ones.
    private readonly ulong _notX0;

    /// <summary>x0 all ones, x1 to x3 zero: −1 for AArch64 and AArch32 callers alike.</summary>
    public static Answer NotSupported => default;

    /// <summary>The status code 0.</summary>
    public static Answer Success => Status(0);

    /// <summary>No result register is written: the function does not return here.</summary>
    public static Answer NoResults => new() { Kind = ResultKind.None };

    /// <summary>A status code or data.</summary>
    public ResultKind Kind { get; init; }

    /// <summary>x0.</summary>
    public ulong X0 { get => ~_notX0; init => _notX0 = ~value; }

    /// <summary>x1.</summary>
    public ulong X1 { get; init; }

    /// <summary>x2.</summary>
    public ulong X2 { get; init; }

    /// <summary>x3.</summary>
    public ulong X3 { get; init; }

    /// <summary>x4 to x17 where the function defines them (SMCCC 1.2), each at most once; the others keep their values.</summary>
    public ValueArray<RegisterValue> Beyond { get; init; }

    /// <summary>Guest memory to write before the guest goes on.</summary>
    public ValueArray<MemoryWrite> Writes { get; init; }

    /// <summary>Taken interrupts whose trigger is dealt with: they may fire again. One that is not active is no fault.</summary>
    public ValueArray<uint> EndedInterrupts { get; init; }

    /// <summary>Taken interrupts that are the guest's again, inactive and disabled.</summary>
    public ValueArray<uint> ReturnedInterrupts { get; init; }

    /// <summary>Events for another service, in the same commit. Of calls alone.</summary>
    public ValueArray<EventToRaise> Raises { get; init; }

    /// <summary>What the host does with it.</summary>
    public Effect? Then { get; init; }

    /// <summary>A status code: sign-extended to 64 bits, for SMC32 functions too.</summary>
    /// <param name="code">The specification's value.</param>
    /// <returns>x0 = the code, x1 to x3 zero.</returns>
    public static Answer Status(long code) => new() { X0 = (ulong)code };

    /// <summary>A UUID in w0 to w3: its bytes in textual order, each register's first byte lowest (DEN0028, General service queries).</summary>
    /// <param name="uid">One that begins with ffffffff reads as an unknown function.</param>
    /// <returns>The four registers.</returns>
    public static Answer Uid(Guid uid)
    {
        var (w0, w1, w2, w3) = OwnerIdentity.Words(uid);
        return Value(w0, w1, w2, w3);
    }

    /// <summary>Data: zero-extended from 32 bits for SMC32 functions.</summary>
    /// <param name="x0">x0.</param>
    /// <param name="x1">x1.</param>
    /// <param name="x2">x2.</param>
    /// <param name="x3">x3.</param>
    /// <returns>The four registers.</returns>
    public static Answer Value(ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0) =>
        new() { Kind = ResultKind.Data, X0 = x0, X1 = x1, X2 = x2, X3 = x3 };
}

/// <summary>How result registers are extended.</summary>
public enum ResultKind : byte
{
    /// <summary>x0 is a status code, sign-extended.</summary>
    Status,

    /// <summary>The registers hold data.</summary>
    Data,

    /// <summary>No register is written.</summary>
    None,
}

/// <summary>A general register and its value.</summary>
/// <param name="Index">0 to 30.</param>
/// <param name="Value">64 bits.</param>
public readonly record struct RegisterValue(int Index, ulong Value);

/// <summary>Bytes for guest memory.</summary>
/// <param name="Base">A guest physical address in RAM.</param>
/// <param name="Data">What to write there.</param>
public readonly record struct MemoryWrite(ulong Base, ValueArray<byte> Data);
