using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>A machine attached to the daemon: its Attach stream, made again where it is lost, and the way to its vCPU streams.</summary>
public sealed class MachineSession : IMachineEvents, IAsyncDisposable
{
    /// <summary>The version of the wire that this library speaks.</summary>
    public const uint ProtocolMajor = 1;

    /// <summary>The minor version.</summary>
    public const uint ProtocolMinor = 0;

    private const int MostRefusals = 3;
    private static readonly TimeSpan s_greetingPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(1);

    private readonly CallInvoker _daemon;
    private readonly Func<Hello> _describe;
    private readonly Ready _ready;
    private readonly Action<ulong, bool> _attention;
    private readonly HostRules _rules;
    private readonly ReportQueue _reports = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly object _changed = new();
    private volatile Attachment? _attachment;
    private volatile Attachment _newest;
    private volatile bool _isDetaching;
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
    /// <returns>Opens its stream with the first exit.</returns>
    public VcpuSession OpenVcpu(ulong mpidr) => new(this, _daemon, mpidr);

    /// <inheritdoc/>
    public void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit) =>
        Report(new() { CoreState = new() { Core = mpidr, Change = change, Commit = commit } });

    /// <inheritdoc/>
    public void ResetHappened(ulong boot, ResetKind kind, string cause) =>
        Report(new() { Reset = new() { Boot = boot, Kind = kind, Cause = cause } });

    /// <summary>Tells the daemon that the machine is gone, and waits until it knows.</summary>
    /// <param name="reason">For people.</param>
    /// <returns>When the stream has ended.</returns>
    public async Task DetachAsync(string reason)
    {
        _isDetaching = true;
        if (_attachment is null)
        {
            // Nobody is there to be told.
            await _closing.CancelAsync().ConfigureAwait(false);
        }

        Report(new() { Detach = new() { Reason = reason } });
        _reports.Complete();
        await Ended.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        Wake();
        await Ended.ConfigureAwait(false);
        _closing.Dispose();
    }

    internal void Report(HostMessage message) => _reports.Add(message);

    /// <summary>Blocks until the connection is another than this one, somebody is woken, or the time is over.</summary>
    internal void WaitForChange(Attachment? known, TimeSpan atMost, VcpuSession waiting)
    {
        lock (_changed)
        {
            if (_attachment == known && !IsClosing && !waiting.IsClosed && atMost > TimeSpan.Zero)
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

    internal bool IsClosing => _closing.IsCancellationRequested;

    private void Begin(AttachCall call)
    {
        lock (_changed)
        {
            _newest = call.Attachment;
            _attachment = call.Attachment;
            Attachments++;
            Monitor.PulseAll(_changed);
        }
    }

    private async Task<AttachCall> GreetAsync(CancellationToken cancelled)
    {
        _reports.Open();
        var hello = _describe();
        _reports.DropBefore(hello.Boot);
        hello.Token = _token.IsEmpty ? hello.Token : _token;
        return await AttachCall.GreetAsync(_daemon, hello, _ready, token => _token = token, cancelled).ConfigureAwait(false);
    }

    private async Task<AttachCall> GreetFirstAsync(CancellationToken cancelled)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        patience.CancelAfter(s_greetingPatience);
        try
        {
            return await GreetAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (patience.IsCancellationRequested && !cancelled.IsCancellationRequested && e is RpcException or OperationCanceledException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"The daemon has not taken the machine within {s_greetingPatience.TotalSeconds} s."));
        }
    }

    /// <summary>From one connection to the next, until the session is over.</summary>
    private async Task<string> RunAsync(AttachCall call)
    {
        while (true)
        {
            var (reason, isFinal) = await ConverseAsync(call).ConfigureAwait(false);
            _attachment = null;
            if (isFinal || IsClosing || _isDetaching || !_rules.Reconnects)
            {
                return reason;
            }

            _rules.Log?.Invoke($"The connection to the daemon is lost: {reason} Calls wait for it, {_newest.Deadline.TotalSeconds:0.#} s at most where nothing else is said of them.");
            var lost = Stopwatch.GetTimestamp();
            var (next, refusal) = await AttachAgainAsync().ConfigureAwait(false);
            if (next is null)
            {
                return refusal;
            }

            var isSame = next.Attachment.Welcome.Incarnation == call.Attachment.Welcome.Incarnation;
            call = next;
            Begin(call);
            _rules.Log?.Invoke(
                $"Attached again after {Stopwatch.GetElapsedTime(lost).TotalSeconds:0.0} s: {(isSame ? "the daemon kept the machine's state." : "a new daemon; the cores' power is as this host says, all else its services knew begins anew.")}");
        }
    }

    private async Task<(string Reason, bool IsFinal)> ConverseAsync(AttachCall call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        var sending = SendAsync(call, ending.Token);
        var said = await ListenAsync(call, ending.Token).ConfigureAwait(false);
        _reports.Close();
        await ending.CancelAsync().ConfigureAwait(false);
        call.Dispose();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return said;
    }

    /// <summary>Over before the next connection begins, which has the same queue.</summary>
    private async Task SendAsync(AttachCall call, CancellationToken ending)
    {
        try
        {
            await call.SendAsync(_reports, ending).ConfigureAwait(false);
        }
        catch
        {
            // A connection that takes no reports is none.
            _reports.Close();
            throw;
        }
    }

    private async Task<(string Reason, bool IsFinal)> ListenAsync(AttachCall call, CancellationToken ending)
    {
        Goodbye? goodbye = null;
        try
        {
            while (await call.NextAsync(ending).ConfigureAwait(false) is { } message)
            {
                if (message.Attention is { } attention)
                {
                    _attention(attention.Core, attention.Wanted);
                }

                goodbye = message.Goodbye ?? goodbye;
            }

            return (goodbye?.Reason ?? "The daemon ended the stream.", goodbye is { TakenOver: true });
        }
        catch (RpcException e)
        {
            return (goodbye?.Reason ?? e.Status.Detail, goodbye is { TakenOver: true });
        }
        catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or IOException)
        {
            return ("The session was closed.", IsClosing);
        }
    }

    /// <summary>Tries until a daemon takes the machine; null, with a sentence, where it is refused or the session closes.</summary>
    private async Task<(AttachCall?, string Refusal)> AttachAgainAsync()
    {
        var pause = s_shortestPause;
        for (var refusals = 0; !IsClosing;)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            patience.CancelAfter(s_greetingPatience);
            try
            {
                return (await GreetAsync(patience.Token).ConfigureAwait(false), "");
            }
            catch (RpcException e) when (IsRefusal(e.StatusCode) && ++refusals >= MostRefusals)
            {
                return (null, $"The daemon does not take the machine back: {e.Status.Detail}");
            }
            catch (Exception e) when (e is RpcException or IOException or OperationCanceledException or InvalidOperationException)
            {
                _reports.Close();
                // A daemon that refuses may have yet to notice that this host was cut off, and needs more than an instant.
                pause = e is RpcException { StatusCode: var code } && IsRefusal(code) ? s_longestPause : pause;
                await Task.Delay(pause, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
            }
        }

        return (null, "The session was closed.");
    }

    private static bool IsRefusal(StatusCode code) =>
        code is StatusCode.FailedPrecondition or StatusCode.PermissionDenied or StatusCode.InvalidArgument or StatusCode.Unauthenticated or StatusCode.Unimplemented;
}
