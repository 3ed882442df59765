using System.Buffers.Binary;

namespace Hypercalls.Hosts.Caller;

/// <summary>The calls as the caller finds them in its memory.</summary>
internal sealed class CallTable
{
    private readonly byte[] _bytes;
    private readonly Record[] _records;

    /// <summary>Lays the calls out for this address.</summary>
    public CallTable(IReadOnlyList<CallerCall> calls, ulong address)
    {
        _records = new Record[calls.Count];
        var at = CallerLayout.TableRecords;
        for (var i = 0; i < calls.Count; i++)
        {
            _records[i] = Record.Of(calls[i], at, address);
            at += _records[i].Size;
        }
        _bytes = new byte[at];
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(CallerLayout.TableCount), (ulong)calls.Count);
        foreach (var record in _records)
        {
            record.CopyTo(_bytes.AsSpan(record.Start, record.Size));
        }
    }

    public ReadOnlyMemory<byte> Bytes => _bytes;

    public int Count => _records.Length;

    /// <summary>How many bytes the caller tells of a call that returned.</summary>
    public int ToldBy(int call) => _records[call].Told;

    public CallerResult Result(int call, ReadOnlySpan<byte> told)
    {
        var record = _records[call];
        var x = new ulong[CallerLayout.RecordRegisters];
        for (var n = 0; n < x.Length; n++)
        {
            x[n] = BinaryPrimitives.ReadUInt64LittleEndian(told[(n * sizeof(ulong))..]);
        }
        var memory = new List<ReadOnlyMemory<byte>>();
        foreach (var (offset, length) in record.Memory)
        {
            memory.Add(told.Slice(offset - CallerLayout.RecordX, length).ToArray());
        }
        return new(call, record.Registers, x, memory);
    }

    /// <summary>A call at its place in the table, with its memory at offsets from there.</summary>
    private sealed record Record(CallerCall Call, int Start, int Size, ulong[] Registers, IReadOnlyList<(int Offset, int Length)> Memory)
    {
        public int Told => Size - CallerLayout.RecordX;

        public static Record Of(CallerCall call, int start, ulong table)
        {
            var registers = new ulong[CallerLayout.RecordRegisters];
            var memory = new List<(int Offset, int Length)>();
            var size = CallerLayout.RecordMemory;
            for (var n = 0; n < call.X.Count; n++)
            {
                registers[n] = call.X[n].Value;
                if (call.X[n].Memory is { } bytes)
                {
                    registers[n] = table + (ulong)(start + size);
                    memory.Add((size, bytes.Length));
                    size += AlignUp(bytes.Length);
                }
            }
            return new(call, start, size, registers, memory);
        }

        public void CopyTo(Span<byte> bytes)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[CallerLayout.RecordSize..], (uint)Size);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[CallerLayout.RecordInstruction..], Call.Instruction);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[CallerLayout.RecordTold..], (uint)Told);
            for (var n = 0; n < Registers.Length; n++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bytes[(CallerLayout.RecordX + (n * sizeof(ulong)))..], Registers[n]);
            }
            var next = 0;
            foreach (var argument in Call.X)
            {
                if (argument.Memory is { } contents)
                {
                    contents.Span.CopyTo(bytes[Memory[next++].Offset..]);
                }
            }
        }

        private static int AlignUp(int length) => (length + CallerLayout.TableAlignment - 1) & -CallerLayout.TableAlignment;
    }
}
