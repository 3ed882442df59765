namespace Hypercalls.Kvm;

/// <summary>Carries what the guest prints to whoever reads it, on a thread of its own: a terminal that does not take it holds the guest up only when much is waiting.</summary>
internal sealed class ConsolePump : IDisposable
{
    private const int MostWaiting = 64 << 10;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Stream _output;
    private readonly Action<string> _fail;
    private readonly object _gate = new();
    private readonly List<byte> _waiting = [];
    private readonly Thread _thread;
    private bool _isOver;
    private bool _isLeaving;

    public ConsolePump(Stream output, Action<string> fail)
    {
        (_output, _fail) = (output, fail);
        _thread = new(Pump) { IsBackground = true, Name = "guest console" };
        _thread.Start();
    }

    /// <summary>From any thread; what comes after the end is dropped.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            while (_waiting.Count >= MostWaiting && !_isOver && !_isLeaving)
            {
                Monitor.Wait(_gate);
            }
            if (!_isOver && _waiting.Count < MostWaiting)
            {
                _waiting.AddRange(bytes);
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>While the guest is being reset nobody waits for room: what does not fit is dropped.</summary>
    public void SetLeaving(bool isLeaving)
    {
        lock (_gate)
        {
            _isLeaving = isLeaving;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Nothing more comes: the rest is written, for as long as somebody takes it.</summary>
    public void Finish()
    {
        End();
        _thread.Join(s_patience);
    }

    public void Dispose() => End();

    private void End()
    {
        lock (_gate)
        {
            _isOver = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Pump()
    {
        try
        {
            while (Next() is { Length: > 0 } bytes)
            {
                _output.Write(bytes);
                _output.Flush();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            End();
            _fail($"The guest's console cannot be written: {e.Message}");
        }
    }

    private byte[] Next()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_isOver)
            {
                Monitor.Wait(_gate);
            }
            byte[] bytes = [.. _waiting];
            _waiting.Clear();
            Monitor.PulseAll(_gate);
            return bytes;
        }
    }
}
