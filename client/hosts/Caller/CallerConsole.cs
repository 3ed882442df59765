using System.Buffers.Binary;

namespace Hypercalls.Hosts.Caller;

/// <summary>What the caller says at its UART, taken apart.</summary>
internal sealed class CallerConsole(CallTable table, Action<CallerResult> returned, Action<CallerEnd> ended)
{
    private byte[] _frame = [];
    private int _filled;
    private byte _kind;
    private int _calls;
    private bool _isOver;

    /// <summary>It runs.</summary>
    public bool HasBegun { get; private set; }

    public void Take(ReadOnlySpan<byte> said)
    {
        while (!said.IsEmpty && !_isOver)
        {
            if (_filled == _frame.Length)
            {
                Begin(said[0]);
                said = said[1..];
                continue;
            }
            var length = Math.Min(said.Length, _frame.Length - _filled);
            said[..length].CopyTo(_frame.AsSpan(_filled));
            _filled += length;
            said = said[length..];
            if (_filled == _frame.Length)
            {
                Finish();
            }
        }
    }

    private void Begin(byte kind)
    {
        (_kind, _filled) = (kind, 0);
        switch (kind)
        {
            case CallerLayout.SaysBegun:
                // A second time: it was reset, and what follows is of another boot.
                _isOver = HasBegun;
                HasBegun = true;
                _frame = [];
                break;
            case CallerLayout.SaysReturned when _calls < table.Count:
                _frame = new byte[table.ToldBy(_calls)];
                break;
            case CallerLayout.SaysException:
                _frame = new byte[CallerLayout.ExceptionWords * sizeof(ulong)];
                break;
            case CallerLayout.SaysEnd when _calls == table.Count:
                End(new CallerEnd.Done());
                break;
            default:
                // A service may write where it likes: over the caller too.
                throw new IOException($"the caller says 0x{kind:x2} after {_calls} of {table.Count} calls, which is none of its words");
        }
    }

    private void Finish()
    {
        if (_kind == CallerLayout.SaysReturned)
        {
            returned(table.Result(_calls++, _frame));
            return;
        }
        End(new CallerEnd.Faulted(Word(0), Word(1), Word(2)));
    }

    private void End(CallerEnd end)
    {
        _isOver = true;
        ended(end);
    }

    private ulong Word(int index) => BinaryPrimitives.ReadUInt64LittleEndian(_frame.AsSpan(index * sizeof(ulong)));
}
