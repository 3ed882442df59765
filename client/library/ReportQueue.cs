using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>What the host has yet to tell by one connection, in order. Once that is closed nothing is kept: by the next one is told how things stand.</summary>
internal sealed class ReportQueue
{
    /// <summary>A daemon that lets so many wait does not read.</summary>
    public const int Most = 1 << 16;

    private readonly Lock _lock = new();
    private TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Queue<HostMessage>? _messages = new();
    private bool _isComplete;

    /// <summary>Hello has told this boot: what was reported of those before is history.</summary>
    public void DropBefore(ulong boot)
    {
        lock (_lock)
        {
            HostMessage[] kept = [.. _messages ?? []];
            var last = Array.FindLastIndex(kept, message => message.Reset is { } reset && reset.Boot <= boot);
            _messages = _messages is null ? null : new(kept[(last + 1)..]);
        }
    }

    /// <summary>Adds a report; false when the daemon does not read: a new connection is told how things stand.</summary>
    public bool Add(HostMessage message)
    {
        lock (_lock)
        {
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
}
