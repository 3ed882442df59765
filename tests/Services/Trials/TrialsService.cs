using Hypercalls.Sdk;

namespace Hypercalls.Tests.Trials;

/// <summary>What the guests of tests/Guest call: the numbers are those of guest.h. Attention enters a handler of the guest, as an event would.</summary>
public sealed class TrialsService : Service<TrialsState>, IAttention<TrialsState>, IInterrupts<TrialsState>, ICoreLifecycle<TrialsState>, IResets<TrialsState>, INotApplied<TrialsState>,
    IDeviceTree, IRaisable<TrialsState>, IStateTables<TrialsState>
{
    private const ulong El1h = 0x3C5;
    private const ulong OfInterrupt = 1ul << 32;
    private static ulong s_runs;
    private static readonly ManualResetEventSlim s_never = new();
    private static readonly TimeSpan s_hold = TimeSpan.FromMilliseconds(500);
    private static readonly FunctionId s_count = new(0xC300_0023);
    private static readonly FunctionId s_take = new(0xC300_0016);

    public override string Name => "TRIALS";

    public override string Version => "1.0";

    public override FunctionTable<TrialsState> Functions { get; } = new()
    {
        { 0xC300_0000, "ECHO",        Echo,       "a" },
        { 0xC300_0001, "ATTEND",      Attend,     "core", "microseconds" },
        { 0xC300_0002, "SLOW",        Slow,       "milliseconds" },
        { 0xC300_0004, "STORM",       Storm,      "core", "count" },
        { 0xC300_0005, "COMPLETE",    Complete,   FunctionTraits.NoReturn },
        { 0xC300_0006, "BOOT",        Boot },
        { 0xC300_0007, "ATTEND_HERE", AttendHere },
        { 0xC300_0008, "HANDLER",     Handler,    "entry" },
        { 0xC300_0009, "MASKED",      Masked },
        { 0xC300_000A, "WRITE",       Write,      "address" },
        { 0xC300_000D, "SEVEN",       Seven },
        { 0xC300_000F, "SLOW_ATTEND", AttendLate, "milliseconds" },
        { 0xC300_0010, "WITHDRAWN",   Attend,     "core", "count" },
        { 0xC300_0013, "NEED",        Needs,      "address" },
        { 0xC300_0016, "TAKE",        Take,       "intid" },
        { 0xC300_0017, "GIVE_BACK",   GiveBack,   "intid" },
        { 0xC300_0018, "WOKEN",       Woken,      "core" },
        { 0xC300_0020, "THROW",       Throw },
        { 0x8300_0021, "NARROW",      Narrow,     "a" },
        { 0xC300_0022, "USES",        Uses,       FunctionTraits.Uses(6, 17) },
        { 0xC300_0023, "COUNT",       Count,      "milliseconds" },
        { 0xC300_0024, "WORK",        Works,      "milliseconds", "manner" },
        { 0xC300_0011, "SPIN",        Spin,       "milliseconds" },
    };

    public override IReadOnlyList<OwnerIdentity> Owners { get; } = [new(OwningEntity.Oem, new Guid("0d21e000-4384-11eb-8070-5244554e5a4c"), new(1, 0))];

    public override IReadOnlyList<ImmediateClaim> Claims =>
    [
        new(Conduit.Smc, 1), new(Conduit.Smc, 0xE200), new(Conduit.Smc, 0xE208), new(Conduit.Smc, 0xFFFF),
        new(Conduit.Hvc, 1), new(Conduit.Hvc, 0xE200), new(Conduit.Hvc, 0xFFFF),
    ];

    // A machine of this name shows what becomes of a service that fails here.
    public ValueArray<DeviceTreeNode> DeviceTree(MachineDescription machine)
    {
        Hang(Hanging(machine), "tree");
        return machine.Name == "treeless" ? throw new InvalidOperationException("No tree today.") :
        [
            new("/trials", [DeviceTreeProperty.Strings("compatible", "hypercalls,trials", "hypercalls,tests"), DeviceTreeProperty.Conduit("method"), DeviceTreeProperty.Empty("quiet")]),
            new("/cpus/cpu@*", [DeviceTreeProperty.References("trials", "/trials"), DeviceTreeProperty.Cells("cells", 1, 0x1234_5678)]),
        ];
    }

    protected override Serve<TrialsState> Claimed => (in call, state) => Echo(call);

    public TrialsState Attached(TrialsState state, MachineDescription machine)
    {
        Hang(Hanging(machine), "attach");
        return state with
        {
            Cores = [.. machine.Cores.Select(core => state.IndexOf(core.Mpidr) is var index and >= 0 ? state.Cores[index] : new TrialsCore(core.Mpidr))],
            Hangs = Hanging(machine),
        };
    }

    public TrialsState Reset(TrialsState state, ResetKind kind, MachineDescription machine)
    {
        Hang(state.Hangs, "reset");
        return Attached(new() { Resets = state.Resets + 1 }, machine);
    }

    public TrialsState CoreChanged(TrialsState state, CoreReport report)
    {
        Hang(state.Hangs, "core change");
        if (report.Change != CoreChange.Woke || state.IndexOf(report.Core) is var index && index < 0)
        {
            return state;
        }

        var core = state.Cores[index];
        return state with { Cores = state.Cores.With(index, core with { Woken = core.Woken + 1, WokenAnew = core.WokenAnew + (report.HasLostContext ? 1ul : 0) }) };
    }

    public TrialsState NotApplied(TrialsState state, in Hypercall hypercall, in Answer answer) =>
        hypercall.Function == s_take ? Without(state, (uint)hypercall[1])
        : hypercall.Function == s_count && state.IndexOf(hypercall.Core) is var index and >= 0
            ? state with { Cores = state.Cores.With(index, state.Cores[index] with { Count = state.Cores[index].Count - 1 }) }
            : state;

    public bool Holds(TrialsState state, uint intid) => state.Taken.Contains(intid);

    public TrialsState Fired(TrialsState state, Mpidr core, uint intid)
    {
        Hang(state.Hangs, "fired");
        var index = state.IndexOf(core);
        // A host that was not sure to be heard tells of the same trigger again.
        return state.Cores[index].Fired.Contains(intid) || state.Cores[index].Serving == intid
            ? state
            : state with { Cores = state.Cores.With(index, state.Cores[index] with { Fired = [.. state.Cores[index].Fired, intid] }) };
    }

    public bool WantsAttention(TrialsState state, Mpidr core)
    {
        var isWanted = state.IndexOf(core) is var index and >= 0 && state.Cores[index] is { Interrupted: null } of && (of.Pending > 0 || of.Fired.Count > 0);
        if (isWanted)
        {
            Hang(state.Hangs, "attention");
        }

        return isWanted;
    }

    public Outcome<TrialsState> Attend(TrialsState state, AttentionExit stopped)
    {
        Hang(state.Hangs, "attend");
        var index = state.IndexOf(stopped.Core);
        var core = state.Cores[index];
        uint? fired = core.Fired.Count > 0 ? core.Fired[0] : null;
        var entry = new Effect.Load { Registers = [new(0, fired is { } intid ? OfInterrupt | intid : core.Pending), new(1, stopped.Registers.Pc)], Pc = core.Handler, Pstate = new(El1h) };
        var entered = fired is null ? core with { Pending = core.Pending - 1 } : core with { Fired = [.. core.Fired.Skip(1)], Serving = fired };
        return (state with { Cores = state.Cores.With(index, entered with { Interrupted = stopped.Registers }) }, Answer.NoResults with { Then = entry });
    }

    public TrialsState NotApplied(TrialsState state, AttentionExit stopped, in Answer answer)
    {
        var index = state.IndexOf(stopped.Core);
        var core = state.Cores[index];
        var undone = core.Serving is { } intid ? core with { Fired = [intid, .. core.Fired], Serving = null } : core with { Pending = core.Pending + 1 };
        return state with { Cores = state.Cores.With(index, undone with { Interrupted = null }) };
    }

    /// <summary>One event for each thing that can become of one. Those that hang and that are slow ask for attention in the end.</summary>
    public Raised<TrialsState> Raise(TrialsState state, in RaisedEvent raised)
    {
        var core = raised.Core ?? state.Cores[0].Core;
        switch (raised.Event)
        {
            case TrialsEvent.Delivered:
                return new(Pend(state, core.Value, 1), RaiseResult.Delivered, $"Core {core} is asked for.");
            case TrialsEvent.Pending:
                return new(state with { Kept = state.Kept + 1 }, RaiseResult.Pending, "Kept: nobody asks for it.");
            case TrialsEvent.Throws:
                throw new InvalidOperationException("This event is broken.");
            case TrialsEvent.Hangs:
                Block(20_000);
                return new(Pend(state, core.Value, 1), RaiseResult.Delivered, "At last.");
            case TrialsEvent.Slow:
                Block(3_000);
                return new(Pend(state, core.Value, 1), RaiseResult.Delivered, "Late.");
            default:
                return new(Pend(state, core.Value, 1), RaiseResult.Refused, $"No guest has registered event {raised.Event}.");
        }
    }

    public ValueArray<StateTable> Tables(TrialsState state, MachineDescription machine)
    {
        Hang(state.Hangs, "tables");
        return machine.Name == "tableless" ? throw new InvalidOperationException("No tables today.") :
        [
            new("Cores", ["core", "pending", "count"], [.. state.Cores.Select(core => ValueArray.Of<string>([$"{core.Core}", $"{core.Pending}", $"{core.Count}"]))]),
            new("Events", ["kept", "machine"], [[$"{state.Kept}", $"\u001B[31m{machine.Name}"]]),
        ];
    }

    private static Answer Echo(in Hypercall call) => Answer.Value(call[1] + 1, call.Immediate, (ulong)call.Conduit, 1);

    private static Outcome<TrialsState> Boot(in Hypercall call, TrialsState state) => Answer.Value(state.Resets + 1);

    private static Answer Seven(in Hypercall call) => Answer.Value(7);

    private static Answer Narrow(in Hypercall call) => Answer.Value(call[1] + 1);

    private static Answer Masked(in Hypercall call) =>
        Answer.Value(call.Registers[0], call[1], call[2], call[3]) with { Beyond = [new(5, 5), new(9, 9), new(17, 17)] };

    private static Answer Uses(in Hypercall call)
    {
        ulong sum = 0;
        for (var register = 6; register <= 17; register++)
        {
            sum += call[register];
        }

        return Answer.Value(sum);
    }

    private static Answer Write(in Hypercall call) =>
        Answer.Value(0) with { Writes = [new(call[1], [8, 7, 6, 5, 4, 3, 2, 1])] };

    private static Answer Throw(in Hypercall call) => throw new InvalidOperationException("This service is broken.");

    /// <summary>Blocks, as no service should.</summary>
    private static Answer Slow(in Hypercall call)
    {
        Block(call[1]);
        return Answer.Value(call[1]);
    }

    /// <summary>Loops, which is worse: its core is busy too.</summary>
    private static Answer Spin(in Hypercall call)
    {
        var end = Environment.TickCount64 + (long)call[1];
        while (Environment.TickCount64 < end)
        {
            Thread.SpinWait(100);
        }

        return Answer.Value(call[1]);
    }

    /// <summary>A machine named "hangs in attach" shows what becomes of a service that does not come back there.</summary>
    private static string Hanging(MachineDescription machine) =>
        machine.Name.StartsWith("hangs in ", StringComparison.Ordinal) ? machine.Name["hangs in ".Length..] : "";

    private static void Hang(string where, string here)
    {
        if (where.StartsWith(here, StringComparison.Ordinal))
        {
            Block(20_000);
        }
    }

    /// <summary>How many calls of this core the guest has seen the answer of, this one included.</summary>
    private static Outcome<TrialsState> Count(in Hypercall call, TrialsState state)
    {
        Block(call[1]);
        var index = state.IndexOf(call.Core);
        var count = state.Cores[index].Count + 1;
        return (state with { Cores = state.Cores.With(index, state.Cores[index] with { Count = count }) }, Answer.Value(count));
    }

    /// <summary>Eight bytes of guest memory, x7 and VBAR, by two questions.</summary>
    private static Outcome<TrialsState> Needs(in Hypercall call, TrialsState state)
    {
        if (!call.TryRange(call[1], 8, out var range))
        {
            return Answer.Status(-2);
        }

        if (!call.TryRead(range, out var bytes))
        {
            return new Need { Memory = [range], Registers = [7] };
        }

        return call.TryRead(SystemRegister.VbarElc, out var vbar)
            ? Answer.Value(BitConverter.ToUInt64(bytes), call[7], vbar)
            : new Need { System = [SystemRegister.VbarElc] };
    }

    /// <summary>COUNT, but outside the machine's turn; x1 counts the runs of this process. One that is deaf goes on when it is cancelled.</summary>
    private static Outcome<TrialsState> Works(in Hypercall call, TrialsState state)
    {
        const ulong deaf = 1, swift = 2;
        var (core, time, manner) = (call.Core, TimeSpan.FromMilliseconds(call[1]), call[2]);
        return new Work<TrialsState>(cancelled =>
        {
            var run = Interlocked.Increment(ref s_runs);
            if (manner == swift)
            {
                // Whoever else is to hear of it does so after this, when the work has long ended.
                cancelled.Register(() => s_never.Wait(s_hold));
                _ = cancelled.WaitHandle.WaitOne(time);
                cancelled.ThrowIfCancellationRequested();
            }

            s_never.Wait(time, manner == deaf ? CancellationToken.None : cancelled);
            return now =>
            {
                var index = now.IndexOf(core);
                var count = now.Cores[index].Count + 1;
                return (now with { Cores = now.Cores.With(index, now.Cores[index] with { Count = count }) }, Answer.Value(count, run));
            };
        });
    }

    private static Outcome<TrialsState> Attend(in Hypercall call, TrialsState state) => (Pend(state, call[1], 1), Answer.Value(0));

    private static Outcome<TrialsState> Storm(in Hypercall call, TrialsState state) => (Pend(state, call[1], call[2]), Answer.Value(0));

    private static Outcome<TrialsState> AttendHere(in Hypercall call, TrialsState state) => (Pend(state, call.Core.Value, 1), Answer.Value(7));

    private static Outcome<TrialsState> AttendLate(in Hypercall call, TrialsState state)
    {
        Block(call[1]);
        return (Pend(state, call.Core.Value, 1), Answer.Value(call[1]));
    }

    private static Outcome<TrialsState> Handler(in Hypercall call, TrialsState state)
    {
        var index = state.IndexOf(call.Core);
        return (state with { Cores = state.Cores.With(index, state.Cores[index] with { Handler = call[1] }) }, Answer.Value(0));
    }

    private static Outcome<TrialsState> Complete(in Hypercall call, TrialsState state)
    {
        var index = state.IndexOf(call.Core);
        if (state.Cores[index].Interrupted is not { } interrupted)
        {
            return Answer.NotSupported;
        }

        var back = new Effect.Load
        {
            Registers = [.. Enumerable.Range(0, 18).Select(n => new RegisterValue(n, interrupted.X[n]))],
            Pc = interrupted.Pc,
            Pstate = interrupted.Pstate,
        };
        return (
            state with { Cores = state.Cores.With(index, state.Cores[index] with { Interrupted = null, Serving = null }) },
            Answer.NoResults with { Then = back, EndedInterrupts = state.Cores[index].Serving is { } intid ? [intid] : [] });
    }

    private static Outcome<TrialsState> Take(in Hypercall call, TrialsState state) =>
        (state with { Taken = [.. state.Taken, (uint)call[1]] }, Answer.Success with { Then = new Effect.TakeInterrupt((uint)call[1], -3) });

    private static Outcome<TrialsState> GiveBack(in Hypercall call, TrialsState state) =>
        (Without(state, (uint)call[1]), Answer.Success with { ReturnedInterrupts = [(uint)call[1]] });

    private static Outcome<TrialsState> Woken(in Hypercall call, TrialsState state)
    {
        var core = Mpidr.TryParse(call[1], out var mpidr) && state.IndexOf(mpidr) is var index and >= 0 ? state.Cores[index] : new(default);
        return Answer.Value(core.Woken, core.WokenAnew);
    }

    private static TrialsState Without(TrialsState state, uint intid) => state with
    {
        Taken = [.. state.Taken.Where(taken => taken != intid)],
        Cores = [.. state.Cores.Select(core => core with { Fired = [.. core.Fired.Where(fired => fired != intid)], Serving = core.Serving == intid ? null : core.Serving })],
    };

    private static TrialsState Pend(TrialsState state, ulong core, ulong count)
    {
        var index = Mpidr.TryParse(core, out var mpidr) ? state.IndexOf(mpidr) : -1;
        return index < 0 ? state : state with { Cores = state.Cores.With(index, state.Cores[index] with { Pending = state.Cores[index].Pending + count }) };
    }

    private static void Block(ulong milliseconds)
    {
        using var never = new ManualResetEventSlim();
        never.Wait(TimeSpan.FromMilliseconds(milliseconds));
    }
}
