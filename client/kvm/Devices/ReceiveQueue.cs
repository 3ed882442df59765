namespace Hypercalls.Kvm.Devices;

/// <summary>What was sent to a device and it has not read yet: a ring of bytes. Its owner's lock guards it.</summary>
internal sealed class ReceiveQueue(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private int _first;

    public int Count { get; private set; }

    /// <summary>Takes what there is room for, and says how many bytes that were.</summary>
    public int Add(ReadOnlySpan<byte> bytes)
    {
        var taken = Math.Min(bytes.Length, _bytes.Length - Count);
        var end = (_first + Count) % _bytes.Length;
        var untilWrap = Math.Min(taken, _bytes.Length - end);
        bytes[..untilWrap].CopyTo(_bytes.AsSpan(end));
        bytes[untilWrap..taken].CopyTo(_bytes);
        Count += taken;
        return taken;
    }

    /// <summary>The oldest byte; there must be one.</summary>
    public byte Take()
    {
        var oldest = _bytes[_first];
        Drop(1);
        return oldest;
    }

    /// <summary>Forgets the oldest bytes; there must be as many.</summary>
    public void Drop(int count)
    {
        _first = (_first + count) % _bytes.Length;
        Count -= count;
    }
}
