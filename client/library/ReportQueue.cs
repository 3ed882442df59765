using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>What the host has yet to tell a daemon of its machine, in order. While no daemon is there nothing is kept: the next one is told how things stand. Exits that fell back are the exception, since no Hello tells them.</summary>
internal sealed class ReportQueue
{
    /// <summary>A daemon that lets so many wait does not read.</summary>
    public const int Most = 1 << 16;

    /// <summary>So many of the exits that fell back are told again on each connection: the one before may have been lost with them.</summary>
    public const int MostFallenBack = 256;

    private readonly Lock _lock = new();
    private TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<HostMessage> _fallenBack = new();
    private Queue<HostMessage>? _messages;
    private bool _isComplete;

    /// <summary>From now on reports are kept: to be said before the machine is looked at for its Hello, so that no change is lost in between.</summary>
    public void Open()
    {
        lock (_lock)
        {
            (_messages, _isComplete) = (new(_fallenBack), false);
        }
    }

    /// <summary>Hello has told this boot: what was reported of those before is history.</summary>
    public void DropBefore(ulong boot)
    {
        lock (_lock)
        {
            if (_messages is null)
            {
                return;
            }

            var kept = _messages.ToArray();
            var last = Array.FindLastIndex(kept, message => message.Reset is { } reset && reset.Boot <= boot);
            _messages = new(kept[(last + 1)..]);
        }
    }

    /// <summary>Adds a report; false when the daemon does not read: a new connection is told how things stand.</summary>
    public bool Add(HostMessage message)
    {
        lock (_lock)
        {
            Remember(message);
            if (_messages is null || _isComplete)
            {
                return true;
            }

            if (_messages.Count >= Most)
            {
                _messages = null;
                _given.TrySetResult();
                return false;
            }

            _messages.Enqueue(message);
            _given.TrySetResult();
            return true;
        }
    }

    /// <summary>Nothing follows; what is there is still told.</summary>
    public void Complete()
    {
        lock (_lock)
        {
            _isComplete = true;
            _given.TrySetResult();
        }
    }

    /// <summary>No daemon is there any longer.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _messages = null;
            _given.TrySetResult();
        }
    }

    /// <summary>Waits for the next report; null where none follows.</summary>
    public async Task<HostMessage?> NextAsync(CancellationToken cancelled)
    {
        while (true)
        {
            Task given;
            lock (_lock)
            {
                if (_messages is null)
                {
                    return null;
                }

                if (_messages.TryDequeue(out var message) || _isComplete)
                {
                    return message;
                }

                _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
                given = _given.Task;
            }

            await given.WaitAsync(cancelled).ConfigureAwait(false);
        }
    }

    private void Remember(HostMessage message)
    {
        if (message.Reset is not null)
        {
            _fallenBack.Clear();
        }
        else if (message.FellBack is not null)
        {
            _fallenBack.Enqueue(message);
            if (_fallenBack.Count > MostFallenBack)
            {
                _fallenBack.Dequeue();
            }
        }
    }
}
