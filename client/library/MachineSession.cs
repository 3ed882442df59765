using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>A machine attached to the daemon: its Attach stream, made again where it is lost, and the way to its vCPU streams.</summary>
public sealed partial class MachineSession : IMachineEvents, IAsyncDisposable
{
    /// <summary>The version of the wire that this library speaks.</summary>
    public const uint ProtocolMajor = 1;

    /// <summary>The minor version.</summary>
    public const uint ProtocolMinor = 0;

    private const int MostFallbacks = 256;
    private static readonly TimeSpan s_greetingPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    private readonly CallInvoker _daemon;
    private readonly Func<Hello> _describe;
    private readonly Ready _ready;
    private readonly Action<ulong, bool> _attention;
    private readonly HostRules _rules;
    /// <summary>The last exits of this boot that fell back: told by each connection anew, since the one before may have been lost with them.</summary>
    private readonly ConcurrentQueue<HostMessage> _fallbacks = new();
    /// <summary>Cores that the daemon wants stopped now.</summary>
    private readonly HashSet<ulong> _wanted = [];
    private readonly ConcurrentBag<VcpuSession> _vcpus = [];
    private volatile ReportQueue _reports = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly object _changed = new();
    private volatile Attachment? _attachment;
    private volatile Attachment _newest;
    private volatile string? _over;
    private bool _isDetaching;
    private ByteString _token = ByteString.Empty;

    private MachineSession(CallInvoker daemon, Func<Hello> describe, Ready ready, Action<ulong, bool> attention, HostRules rules)
    {
        (_daemon, _describe, _ready, _attention, _rules) = (daemon, describe, ready, attention, rules);
        _newest = null!;
        Ended = null!;
    }

    /// <summary>What the daemon greeted with, the last time it did: token, incarnation, deadlines, served ranges.</summary>
    public Welcome Welcome => _newest.Welcome;

    /// <summary>What this machine is served behind its kernel, and what its device tree gets for it, as the daemon last said.</summary>
    public RangesChanged Accepted => _newest.Accepted;

    /// <summary>After this an exit falls back.</summary>
    public TimeSpan HostDeadline => _newest.Deadline;

    /// <summary>How often the machine was attached; 1 from the start.</summary>
    public int Attachments { get; private set; }

    /// <summary>Completes when the session is over, with the reason in a sentence: the daemon refuses the machine, another host has it, or the host let go.</summary>
    public Task<string> Ended { get; private set; }

    internal HostRules Rules => _rules;

    /// <summary>Null while no daemon is there.</summary>
    internal Attachment? Current => _attachment;

    /// <summary>Attaches a machine whose Hello stays as it is: the session ends with its connection.</summary>
    /// <param name="daemon">A channel to the daemon.</param>
    /// <param name="hello">The machine; protocol numbers are filled in here.</param>
    /// <param name="ready">Its kernel register.</param>
    /// <param name="attention">Told (MPIDR, wanted) as the daemon asks, on a thread of the library; must not block.</param>
    /// <param name="cancelled">Gives up.</param>
    /// <returns>The session.</returns>
    /// <exception cref="RpcException">The daemon refuses, with a sentence, or cannot be reached.</exception>
    public static Task<MachineSession> AttachAsync(CallInvoker daemon, Hello hello, Ready ready, Action<ulong, bool> attention, CancellationToken cancelled = default) =>
        AttachAsync(daemon, () => hello, ready, attention, new() { Reconnects = false }, cancelled);

    /// <summary>Says Hello, waits for the Welcome, hands over the kernel register and waits until the daemon accepts it; does the same again whenever the connection is lost.</summary>
    /// <param name="daemon">A channel to the daemon.</param>
    /// <param name="describe">The machine as it is now, asked before each attempt: above all the power of its cores. Protocol numbers and token are filled in here. Every change that it does not show yet is reported after it was asked.</param>
    /// <param name="ready">Its kernel register.</param>
    /// <param name="attention">Told (MPIDR, wanted) as the daemon asks, on a thread of the library; must not block.</param>
    /// <param name="rules">What is done while nobody answers.</param>
    /// <param name="cancelled">Gives up the first attempt.</param>
    /// <returns>The session.</returns>
    /// <exception cref="RpcException">The daemon refuses, with a sentence, or cannot be reached.</exception>
    public static async Task<MachineSession> AttachAsync(
        CallInvoker daemon, Func<Hello> describe, Ready ready, Action<ulong, bool> attention, HostRules rules, CancellationToken cancelled = default)
    {
        ArgumentNullException.ThrowIfNull(describe);
        ArgumentNullException.ThrowIfNull(rules);
        var session = new MachineSession(daemon, describe, ready, attention, rules);
        var call = await session.GreetFirstAsync(cancelled).ConfigureAwait(false);
        session.Begin(call);
        session.Ended = session.RunAsync(call);
        return session;
    }

    /// <summary>The way of one vCPU's exits; for one thread.</summary>
    /// <param name="mpidr">A core of the machine.</param>
    /// <param name="supply">What services lack to answer the exit that is being forwarded, called by the thread that forwards it: memory and registers as asked for, or null where something of it
    /// cannot be had. Without it Hello must not say the feature "supply".</param>
    /// <returns>Opens its stream with the first exit.</returns>
    public VcpuSession OpenVcpu(ulong mpidr, Func<Need, Supply?>? supply = null)
    {
        var vcpu = new VcpuSession(this, _daemon, mpidr, supply);
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <inheritdoc/>
    public void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit) =>
        Report(new() { CoreState = new() { Core = mpidr, Change = change, Commit = commit } });

    /// <inheritdoc/>
    public void ResetHappened(ulong boot, ResetKind kind, string cause)
    {
        _fallbacks.Clear();
        Report(new() { Reset = new() { Boot = boot, Kind = kind, Cause = cause } });
    }

    /// <summary>Tells the daemon that the machine is gone, and waits until it knows.</summary>
    /// <param name="reason">For people.</param>
    /// <returns>When the stream has ended.</returns>
    public async Task DetachAsync(string reason)
    {
        bool isAttached;
        lock (_changed)
        {
            _isDetaching = true;
            isAttached = _attachment is not null;
        }

        if (isAttached)
        {
            Report(new() { Detach = new() { Reason = reason } });
            _reports.Complete();
        }
        else
        {
            // Nobody is there to be told.
            await _closing.CancelAsync().ConfigureAwait(false);
        }

        await Ended.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        foreach (var vcpu in _vcpus)
        {
            vcpu.Close();
        }

        await Ended.ConfigureAwait(false);
        _closing.Dispose();
    }

    internal bool IsClosing => _closing.IsCancellationRequested;

    /// <summary>Why the session is over, and nobody will answer any longer; null while it is not.</summary>
    internal string? Over => _over;

    internal void Report(HostMessage message) => _reports.Add(message);

    internal void ReportFallback(HostMessage message)
    {
        _fallbacks.Enqueue(message);
        while (_fallbacks.Count > MostFallbacks)
        {
            _fallbacks.TryDequeue(out _);
        }

        Report(message);
    }

    /// <summary>Blocks until the connection is another than this one, somebody is woken, or the time is over.</summary>
    internal void WaitForChange(Attachment? known, TimeSpan atMost, VcpuSession waiting)
    {
        lock (_changed)
        {
            if (_attachment == known && _over is null && !IsClosing && !waiting.IsClosed && atMost > TimeSpan.Zero)
            {
                Monitor.Wait(_changed, (int)Math.Ceiling(atMost.TotalMilliseconds));
            }
        }
    }

    internal void Wake()
    {
        lock (_changed)
        {
            Monitor.PulseAll(_changed);
        }
    }
}
