using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>
/// A machine without guest, host or daemon: calls services in memory by the daemon's own rules. Answers are given as the guest
/// would see them; what the host would do with their effects is told by the test, core by core.
/// </summary>
public sealed partial class TestMachine
{
    private readonly HashSet<Mpidr> _on;
    private readonly HashSet<Mpidr> _suspended;
    /// <summary>Cores that have lost their context when they go on.</summary>
    private readonly HashSet<Mpidr> _losing = [];
    /// <summary>What a fallback of each core's last exit does to the states.</summary>
    private readonly Dictionary<Mpidr, Func<MachineState, Stepped>> _last = [];
    private readonly List<ServiceFailure> _failures = [];
    private MachineState _state;

    /// <summary>One core, on.</summary>
    /// <param name="services">What it is served.</param>
    /// <exception cref="ServiceConflictException">Two services claim the same.</exception>
    public TestMachine(params Service[] services)
        : this(1, services)
    {
    }

    /// <summary>A number of cores, the first on and the others off, with 1 GiB of RAM at 0x4000_0000.</summary>
    /// <param name="cores">1 to 65,536, in clusters of 16: core 17 is 0.0.1.1.</param>
    /// <param name="services">What it is served.</param>
    /// <exception cref="ServiceConflictException">Two services claim the same.</exception>
    public TestMachine(int cores, params Service[] services)
        : this(Describe(cores), services)
    {
    }

    /// <summary>A machine of any shape.</summary>
    /// <param name="description">What its host says when it attaches.</param>
    /// <param name="services">What it is served.</param>
    /// <exception cref="ServiceConflictException">Two services claim the same.</exception>
    public TestMachine(MachineDescription description, params Service[] services)
    {
        ArgumentNullException.ThrowIfNull(description);
        Services = new(services);
        Description = description;
        _on = [.. On(description)];
        _suspended = [.. Suspended(description)];
        _state = Keep(Services.Attached(description));
    }

    /// <summary>What it is served.</summary>
    public ServiceSet Services { get; }

    /// <summary>What its host said last.</summary>
    public MachineDescription Description { get; private set; }

    /// <summary>What a kernel between guest and services keeps; null, where everything reaches the services.</summary>
    public TestKernel? Kernel { get; init; }

    /// <summary>When the next call arrives. It stands still until the test moves it; at first it is 2000-01-01, UTC.</summary>
    public DateTimeOffset Now { get; set; } = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Where the random numbers of the calls begin: equal seeds give equal numbers.</summary>
    public ulong Seed { get; set; }

    /// <summary>Each fault of a service since the machine was made, the oldest first.</summary>
    public IReadOnlyList<ServiceFailure> Failures => _failures;

    /// <summary>The fault of the last call or report; null where it had none.</summary>
    public ServiceFailure? LastFailure { get; private set; }

    /// <summary>The last call's result by the names of its service, such as ON_PENDING; empty where no register was written.</summary>
    public string LastResult { get; private set; } = "";

    /// <summary>What the operator reads beside the last call: events it raised that were refused. Null where there is nothing.</summary>
    public string? LastNote { get; private set; }

    /// <summary>What the services add to the guest's device tree, asked anew each time.</summary>
    public ValueArray<DeviceTreeNode> DeviceTree
    {
        get
        {
            Begin();
            var nodes = Services.DeviceTree(Description, out var failures);
            foreach (var failure in failures)
            {
                Keep(failure);
            }

            return nodes;
        }
    }

    /// <summary>The state of the only service as JSON, as an operator sees it.</summary>
    /// <exception cref="InvalidOperationException">There are several services.</exception>
    public string State => SavedState(Services.Services.Single());

    /// <summary>The usual shape of a machine.</summary>
    /// <param name="cores">1 to 65,536.</param>
    /// <returns>To be changed by <c>with</c>.</returns>
    public static MachineDescription Describe(int cores)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cores, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cores, 0x1_0000);
        return new()
        {
            Name = "test",
            Cores = [.. Enumerable.Range(0, cores).Select(i => new Core(Clustered(i), i == 0 ? CorePower.On : CorePower.Off))],
            Ram = [new(0x4000_0000, 0x4000_0000)],
        };
    }

    /// <summary>A core, to call from and to report.</summary>
    /// <param name="index">Its place in the description.</param>
    /// <returns>The core: an AArch64 caller at the machine's client EL that uses HVC.</returns>
    public TestCore Core(int index) => new(this, Description.Cores[index].Mpidr);

    /// <summary>Calls from core 0.</summary>
    /// <param name="id">The identifier, w0.</param>
    /// <param name="args">x1 upwards, at most 17; the others are 0.</param>
    /// <returns>As the guest sees it.</returns>
    public Answer Call(uint id, params ReadOnlySpan<ulong> args) => Core(0).Call(id, args);

    /// <summary>The state of one service as JSON.</summary>
    /// <param name="service">Its name.</param>
    /// <returns>As an operator sees it.</returns>
    /// <exception cref="InvalidOperationException">No service has that name.</exception>
    public string StateOf(string service) => SavedState(Services.Services.Single(candidate => candidate.Name == service));

    /// <summary>The state of the one service whose state has this type.</summary>
    /// <typeparam name="TState">The service's state.</typeparam>
    /// <returns>The value itself.</returns>
    /// <exception cref="InvalidOperationException">No service, or more than one, has it.</exception>
    public TState StateOf<TState>()
        where TState : class => Enumerable.Range(0, Services.Services.Count).Select(i => _state[i]).OfType<TState>().Single();

    /// <summary>The machine was reset: its cores are off, and the first one boots.</summary>
    /// <param name="kind">Cold or warm.</param>
    public void Reset(ResetKind kind = ResetKind.Cold)
    {
        Description = Description with
        {
            Cores = [.. Description.Cores.Select(core => core.Power == CorePower.Unavailable ? core : core with { Power = CorePower.Off })],
        };
        _on.Clear();
        _suspended.Clear();
        _losing.Clear();
        _last.Clear();
        _overwritten.Clear();
        Begin();
        _state = Keep(Services.Reset(_state, kind, Description, Running));
        Report(CoreChange.Started, Description.Cores[0].Mpidr);
    }

    /// <summary>The host attached again and lists its cores.</summary>
    /// <param name="description">What it says.</param>
    public void Attach(MachineDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        Description = description;
        _on.Clear();
        _suspended.Clear();
        _on.UnionWith(On(description));
        _suspended.UnionWith(Suspended(description));
        _losing.IntersectWith(_on);
        Begin();
        _state = Keep(Services.Attached(_state, description, Running));
    }

    internal Answer Serve(Hypercall call, ValueArray<SystemRegisterValue> system)
    {
        Begin();
        if (call.Immediate == 0 && Kernel?.Of(call.Function, call.Conduit, call.Pstate.IsAArch32) is { } kernel and not KernelAnswer.Forwarded)
        {
            return kernel == KernelAnswer.Refused
                ? Answer.NotSupported
                : throw new InvalidOperationException($"The kernel answers {call.Function} itself; no service sees it.");
        }

        // A call is itself the news that its core runs.
        if (!_on.Contains(call.Core))
        {
            Report(CoreChange.Started, call.Core);
        }
        else if (_suspended.Contains(call.Core) || _losing.Contains(call.Core))
        {
            Report(CoreChange.Woke, call.Core);
        }

        call = call with { Machine = Description, Served = Services.SeenBy(call.Conduit, call.Pstate.IsAArch32, Kernel), Now = Now, Random = NextBits() };
        var served = ServeToItsEnd(ref call, system);
        LastServed = served;
        LastResult = served.ResultText();
        LastNote = served.Note;
        var (answered, answer) = (call, served.Answer);
        _last[call.Core] = state => Services.NotApplied(state, answered, answer);
        Write(call.Core, answer);
        if (served.Answer.Then is { Suspends: true } suspend)
        {
            _suspended.Add(call.Core);
            if (suspend.LosesContext)
            {
                _losing.Add(call.Core);
            }
        }

        return Commit(served);
    }

    internal Answer Attend(AttentionExit exit)
    {
        Begin();
        exit = exit with { Now = Now };
        var served = Services.Attend(_state, exit, running: Running);
        Write(exit.Core, served.Answer);
        if (served.Service is { } service && service != served.Failure?.Service)
        {
            _last[exit.Core] = state => Services.NotApplied(state, service, exit, served.Answer);
        }

        return Commit(served);
    }

    /// <summary>The states themselves, in the order of the services.</summary>
    internal IReadOnlyList<object> States => [.. Enumerable.Range(0, Services.Services.Count).Select(i => _state[i])];

    internal bool CanFallBack(Mpidr core) => _last.ContainsKey(core);

    internal void FellBack(Mpidr core)
    {
        if (!_last.Remove(core, out var last))
        {
            throw new InvalidOperationException($"Core {core} has made no exit whose answer could fall back.");
        }

        Begin();
        _losing.Remove(core);
        TakeWritesBack(core);
        _state = Keep(last(_state));
    }

    internal void Reported(CoreChange change, Mpidr core)
    {
        Begin();
        Report(change, core);
    }

    internal bool WantsAttention(Mpidr core)
    {
        Begin();
        var wants = Services.WantsAttention(_state, core, out var failure);
        Keep(failure);
        return wants;
    }

    private static Mpidr Clustered(int index) => Mpidr.FromRegister((ulong)(index >> 12 << 16 | (index >> 4 & 0xFF) << 8 | index & 0xF));

    private static IEnumerable<Mpidr> On(MachineDescription description) =>
        description.Cores.Where(core => core.Power is CorePower.On or CorePower.Suspended).Select(core => core.Mpidr);

    private static IEnumerable<Mpidr> Suspended(MachineDescription description) =>
        description.Cores.Where(core => core.Power == CorePower.Suspended).Select(core => core.Mpidr);

    private string SavedState(Service service) => Services.Save(_state, service);

    private void Report(CoreChange change, Mpidr core)
    {
        if (change == CoreChange.Started && _on.Contains(core))
        {
            // As in the daemon: a call has told of this start already.
            return;
        }

        if (change is CoreChange.Started or CoreChange.Woke)
        {
            _on.Add(core);
        }
        else if (change == CoreChange.Stopped)
        {
            _on.Remove(core);
        }

        var hasLostContext = false;
        if (change != CoreChange.Refused)
        {
            _suspended.Remove(core);
            hasLostContext = _losing.Remove(core) && change == CoreChange.Woke;
        }

        _state = Keep(Services.CoreChanged(_state, new(core, change, Now) { HasLostContext = hasLostContext }, Running));
    }

    private void Begin() => LastFailure = null;

    private Answer Commit(Served served)
    {
        RunningService.LeaveThread();
        Keep(served.Failure);
        _state = served.State;
        return served.Answer;
    }

    private MachineState Keep(Stepped stepped)
    {
        RunningService.LeaveThread();
        foreach (var failure in stepped.Failures)
        {
            Keep(failure);
        }

        return stepped.State;
    }

    private void Keep(ServiceFailure? failure)
    {
        if (failure is not null)
        {
            _failures.Add(failure);
            LastFailure = failure;
        }
    }

    private RandomBits NextBits()
    {
        var bits = new RandomBits();
        foreach (ref var word in (Span<ulong>)bits)
        {
            word = NextRandom();
        }

        return bits;
    }

    // SplitMix64: every seed gives a full period.
    private ulong NextRandom()
    {
        var z = Seed += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ z >> 30) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ z >> 27) * 0x94D0_49BB_1331_11EB;
        return z ^ z >> 31;
    }
}
