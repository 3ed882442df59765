using System.Security.Cryptography;
using System.Threading.Channels;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>One attached guest: its state, its lock, and what its host has said. Every change happens under the lock and is committed as a whole.</summary>
internal sealed partial class Machine
{
    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _clock;
    private readonly IServiceFaults _faults;
    private readonly Lock _lock = new();
    private readonly TimeSpan _deadline;
    /// <summary>Completes with the first host that becomes ready, or with false where none does.</summary>
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ServedMachine _served;
    private CoreSlot[] _cores;
    private MachineState _state;
    private ulong _commit;
    private ulong _boot;
    /// <summary>Where attention and farewells go; null while no host is attached. Read without the lock: a service that hangs must not hold up a farewell.</summary>
    private volatile Channel<ToHost>? _toHost;
    private volatile TaskCompletionSource _nextBoot = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Machine(ServiceSet services, MachineDescription description, Peer owner, string host, ulong boot, ulong incarnation, TimeSpan deadline, IServiceFaults faults, TimeProvider clock)
    {
        _served = new(services, KernelRegisterRanges.AllForwarded, description.Conduits);
        _deadline = deadline;
        _faults = faults;
        _clock = clock;
        _boot = boot;
        Description = description;
        Owner = owner;
        Host = host;
        Incarnation = incarnation;
        _cores = [.. description.Cores.Select((core, number) => new CoreSlot(number, core))];
        var attached = services.Attached(description);
        foreach (var failure in attached.Failures)
        {
            Fault(failure);
        }

        _state = attached.State;
        Since = clock.GetTimestamp();
    }

    public MachineDescription Description { get; private set; }

    public string Name => Description.Name;

    /// <summary>Whoever attached it first, and alone may present its token.</summary>
    public Peer Owner { get; }

    public string Host { get; private set; }

    public ulong Incarnation { get; }

    /// <summary>Known to the host alone: opens vCPU streams, and re-attaches.</summary>
    public byte[] Token { get; } = RandomNumberGenerator.GetBytes(16);

    public ulong Calls { get; private set; }

    public ulong Fallbacks { get; private set; }

    public ulong Failures { get; private set; }

    /// <summary>When it was attached or lost, by the clock's timestamp.</summary>
    public long Since { get; private set; }

    public bool IsAttached => _toHost is not null;

    public ulong Boot => Volatile.Read(ref _boot);

    /// <summary>What it is served, as its last host said at its Ready.</summary>
    public ServedMachine Served => _served;

    /// <summary>True once a host of it has become ready; false where none will. No exit is served before.</summary>
    public Task<bool> IsReady => _ready.Task;

    /// <summary>For people: while a service holds the machine, as far as it can be told without the lock.</summary>
    public (MachineDescription Description, ulong Boot, ulong Commit) Snapshot()
    {
        if (!_lock.TryEnter(s_glance))
        {
            return (WithPower(), Boot, Volatile.Read(ref _commit));
        }

        try
        {
            return (WithPower(), _boot, _commit);
        }
        finally
        {
            _lock.Exit();
        }
    }

    public string? StateOf(string service)
    {
        lock (_lock)
        {
            for (var i = 0; i < _served.Services.Services.Count; i++)
            {
                if (_served.Services.Services[i].Name.Equals(service, StringComparison.OrdinalIgnoreCase))
                {
                    return _served.Services.Services[i].Save(_state[i]);
                }
            }

            return null;
        }
    }

    /// <summary>What services want the guest to find; one that fails here adds nothing.</summary>
    public ValueArray<DeviceTreeNode> DeviceTree(ServiceSet services, MachineDescription description)
    {
        // Outside the lock: no state is asked for.
        var nodes = services.DeviceTree(description, out var failures);
        lock (_lock)
        {
            foreach (var failure in failures)
            {
                Fault(failure);
            }
        }

        return nodes;
    }

    /// <summary>A core by its affinity.</summary>
    public CoreSlot? Core(Mpidr mpidr)
    {
        foreach (var core in _cores)
        {
            if (core.Mpidr == mpidr)
            {
                return core;
            }
        }

        return null;
    }

    /// <summary>A host is about to attach again: not to be forgotten meanwhile.</summary>
    public void Touch() => Since = _clock.GetTimestamp();

    /// <summary>A host has become ready, the first or one that takes over: its list of cores wins, and it is told every level of attention anew.</summary>
    public ChannelReader<ToHost> Attach(MachineDescription description, string host, ulong boot, ServedMachine served)
    {
        lock (_lock)
        {
            SayGoodbye("Another host process has taken this machine over.");
            // Levels, at most one message per core and change: an unread backlog is bounded by what the host itself causes.
            var channel = Channel.CreateUnbounded<ToHost>(new() { SingleReader = true });
            (_toHost, _served) = (channel, served);
            if (!_ready.TrySetResult(true))
            {
                TakeOver(description, host, boot);
            }

            Since = _clock.GetTimestamp();
            TellAttention();
            return channel.Reader;
        }
    }

    /// <summary>Its first host left before it was ready.</summary>
    public void Abandon() => _ready.TrySetResult(false);

    /// <summary>The stream of a host ended; false where another host has taken over meanwhile.</summary>
    public bool Lose(ChannelReader<ToHost> stream)
    {
        var channel = _toHost;
        if (channel?.Reader != stream || Interlocked.CompareExchange(ref _toHost, null, channel) != channel)
        {
            return false;
        }

        channel.Writer.TryComplete();
        Touch();
        return true;
    }

    /// <summary>Tells the host why its streams are about to end.</summary>
    public void SayGoodbye(string reason)
    {
        var channel = _toHost;
        channel?.Writer.TryWrite(new ToHost.Goodbye(reason));
        channel?.Writer.TryComplete();
    }

    public void CoreChanged(Mpidr mpidr, CoreChange change)
    {
        lock (_lock)
        {
            var core = Core(mpidr) ?? throw new OutOfOrderException($"core_state.core: {Name} has no core {mpidr}.");
            ChangePower(core, change);
            TellAttention();
        }
    }

    /// <summary>The guest begins a new life: answers of older boots are dropped.</summary>
    public void Reset(ulong boot, ResetKind kind)
    {
        lock (_lock)
        {
            if (boot <= _boot)
            {
                throw new OutOfOrderException($"reset.boot: {boot} does not follow {_boot}.");
            }

            _boot = boot;
            foreach (var core in _cores)
            {
                core.Power = core.Power == CorePower.Unavailable ? CorePower.Unavailable : CorePower.Off;
                core.Last = null;
                core.Queued.Clear();
                core.AttentionFailed = false;
                core.AnsweredBusy = null;
                core.UnseenBeforeBusy = null;
            }

            Commit(_served.Services.Reset(_state, kind, WithPower()));
            TellAttention();
            Interlocked.Exchange(ref _nextBoot, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    private void TakeOver(MachineDescription description, string host, ulong boot)
    {
        var before = _cores.ToDictionary(core => core.Mpidr);
        _cores = [.. description.Cores.Select((core, number) => boot == _boot && before.TryGetValue(core.Mpidr, out var slot) ? new CoreSlot(number, core, slot) : new(number, core))];
        Description = description;
        Host = host;
        if (boot != _boot)
        {
            // The guest was reset while nobody listened.
            _boot = boot;
            Commit(_served.Services.Reset(_state, ResetKind.Cold, description with { Cores = [.. description.Cores.Select(core => core with { Power = CorePower.Off })] }));
        }

        Commit(_served.Services.Attached(_state, description));
    }

    private void ChangePower(CoreSlot core, CoreChange change)
    {
        if (change == CoreChange.Started && core.Power is CorePower.On or CorePower.Suspended)
        {
            // Its first exit came by another stream and was faster: that it started is known, and what it has done since stands.
            return;
        }

        core.Power = change switch
        {
            CoreChange.Started or CoreChange.Woke => CorePower.On,
            CoreChange.Stopped => CorePower.Off,
            _ => core.Power,
        };
        if (change == CoreChange.Stopped)
        {
            // What was to happen to this life of the core must not happen to its next.
            core.Queued.Clear();
        }

        Commit(_served.Services.CoreChanged(_state, new(core.Mpidr, change, _clock.GetUtcNow())));
    }

    private void Commit(Stepped step)
    {
        foreach (var failure in step.Failures)
        {
            Fault(failure);
        }

        if (!ReferenceEquals(step.State, _state))
        {
            _state = step.State;
            _commit++;
        }
    }

    private void Fault(ServiceFailure failure)
    {
        Failures++;
        _faults.Report(Name, failure);
    }

    private bool Wants(CoreSlot core)
    {
        if (core.Queued.Count > 0)
        {
            return true;
        }

        if (core.AttentionFailed)
        {
            return false;
        }

        var wants = _served.Services.WantsAttention(_state, core.Mpidr, out var failure);
        if (failure is not null)
        {
            core.AttentionFailed = true;
            Fault(failure);
        }

        return wants;
    }

    /// <summary>Attention is a level derived from state: whoever changed the state tells what has changed with it.</summary>
    private void TellAttention()
    {
        foreach (var core in _cores)
        {
            // A core that is off makes no attention exit; a suspended one is woken by it.
            var wanted = core.Power is CorePower.On or CorePower.Suspended && Wants(core);
            if (wanted != core.AttentionTold)
            {
                core.AttentionTold = wanted;
                _toHost?.Writer.TryWrite(new ToHost.Attention(core.Mpidr, wanted));
            }
        }
    }

    private MachineDescription WithPower() =>
        Description with { Cores = [.. _cores.Select(core => new Core(core.Mpidr, core.Power))] };
}

/// <summary>What the daemon tells a host unasked.</summary>
internal abstract record ToHost
{
    private ToHost()
    {
    }

    public sealed record Attention(Mpidr Core, bool Wanted) : ToHost;

    public sealed record Goodbye(string Reason) : ToHost;
}

/// <summary>Where faults of services become readable reports.</summary>
internal interface IServiceFaults
{
    void Report(string machine, ServiceFailure failure);

    void Report(string machine, string sentence);
}
