using System.Collections.Immutable;
using System.Threading.Channels;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>Hands every call to whoever watches. A watcher that is too slow loses records and is told how many.</summary>
internal sealed class CallJournal
{
    private ImmutableArray<Watcher> _watchers = [];

    public bool IsWatched => !_watchers.IsEmpty;

    public Watcher Watch(Func<CallEntry, bool> filter)
    {
        var watcher = new Watcher(this, filter);
        ImmutableInterlocked.Update(ref _watchers, static (watchers, added) => watchers.Add(added), watcher);
        return watcher;
    }

    public void Add(CallEntry entry)
    {
        foreach (var watcher in _watchers)
        {
            watcher.Offer(entry);
        }
    }

    /// <summary>One watcher's backlog, bounded.</summary>
    internal sealed class Watcher(CallJournal journal, Func<CallEntry, bool> filter) : IDisposable
    {
        private const int Backlog = 16 * 1024;

        private readonly Channel<(CallEntry, ulong)> _entries = Channel.CreateBounded<(CallEntry, ulong)>(new BoundedChannelOptions(Backlog) { SingleReader = true });
        private readonly Lock _lock = new();
        private ulong _dropped;

        /// <summary>Entries, each with the number of those dropped just before it.</summary>
        public ChannelReader<(CallEntry Entry, ulong Dropped)> Entries => _entries.Reader;

        public void Offer(CallEntry entry)
        {
            if (!filter(entry))
            {
                return;
            }

            lock (_lock)
            {
                _dropped = _entries.Writer.TryWrite((entry, _dropped)) ? 0 : _dropped + 1;
            }
        }

        public void Dispose() =>
            ImmutableInterlocked.Update(ref journal._watchers, static (watchers, removed) => watchers.Remove(removed), this);
    }
}
