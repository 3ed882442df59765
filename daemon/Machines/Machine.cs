using System.Collections.Immutable;
using System.Security.Cryptography;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>One attached guest: its state, and what its host has said. Every change is made in its turn and committed as a whole.</summary>
internal sealed partial class Machine
{
    private const int TokenBytes = 16;

    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _clock;
    private readonly IServiceFaults _faults;
    private readonly Turn _turn;
    private readonly TimeSpan _deadline;
    /// <summary>A service that others wait for may run this long: they have the other half of their deadline yet.</summary>
    private readonly TimeSpan _patience;
    /// <summary>Completes with the first host that becomes ready, or with false where none does.</summary>
    private readonly TaskCompletionSource<bool> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ServedMachine _served;
    private volatile CoreSlot[] _cores;
    private MachineState _state;
    private ulong _commit;
    private ulong _boot;
    /// <summary>Where attention and farewells go; null while no host is attached. Read out of turn: a service that hangs must not hold up a farewell.</summary>
    private volatile HostLine? _toHost;
    private volatile TaskCompletionSource _nextBoot = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ImmutableArray<string> _remarks = [];

    public Machine(ServiceSet services, MachineDescription description, Peer owner, string host, ulong boot, ulong incarnation, TimeSpan deadline, IServiceFaults faults, TimeProvider clock)
    {
        _served = new(services, KernelRegisterRanges.AllForwarded, description.Conduits);
        _deadline = deadline;
        _patience = deadline / 2;
        _turn = new(_patience);
        _faults = faults;
        _clock = clock;
        _running = new(description.Name);
        _boot = boot;
        Description = description;
        Owner = owner;
        Host = host;
        Incarnation = incarnation;
        _cores = [.. description.Cores.Select((core, number) => new CoreSlot(number, core))];
        _state = services.Initial();
        Since = clock.GetTimestamp();
    }

    public MachineDescription Description { get; private set; }

    public string Name => Description.Name;

    /// <summary>Whoever attached it first, and alone may present its token.</summary>
    public Peer Owner { get; }

    public string Host { get; private set; }

    public ulong Incarnation { get; }

    /// <summary>What a call may take.</summary>
    public TimeSpan Deadline => _deadline;

    /// <summary>Known to the host alone: opens vCPU streams, and re-attaches.</summary>
    public byte[] Token { get; private set; } = RandomNumberGenerator.GetBytes(TokenBytes);

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

    /// <summary>For people: a sentence for each service that is not asked any longer, and for state that was lost.</summary>
    public ImmutableArray<string> Remarks => _remarks;

    /// <summary>For people: while a service has the turn, as far as it can be told without.</summary>
    public (MachineDescription Description, ulong Boot, ulong Commit) Snapshot()
    {
        if (!_turn.TryTake(s_glance, mayDepose: false, wasOverdue: out _))
        {
            return (WithPower(), Boot, Volatile.Read(ref _commit));
        }

        try
        {
            return (WithPower(), _boot, _commit);
        }
        finally
        {
            EndTurn();
        }
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

    /// <summary>For people, for as long as the machine is known.</summary>
    public void Remark(string sentence) => ImmutableInterlocked.Update(ref _remarks, all => all.Contains(sentence) ? all : all.Add(sentence));

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

        var report = new CoreReport(core.Mpidr, change, _clock.GetUtcNow()) { HasLostContext = change == CoreChange.Woke && core.LosesContext };
        core.LosesContext &= change == CoreChange.Refused;
        Commit((services, state, running) => services.CoreChanged(state, report, running));
    }

    private MachineDescription WithPower() =>
        Description with { Cores = [.. _cores.Select(core => new Core(core.Mpidr, core.Power))] };
}

/// <summary>Where faults of services become readable reports.</summary>
internal interface IServiceFaults
{
    void Report(string machine, ServiceFailure failure);

    void Report(string machine, string sentence);
}
