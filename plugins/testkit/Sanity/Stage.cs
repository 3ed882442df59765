using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>A machine with the service alone, on which steps are played under the eyes of the watch.</summary>
internal sealed class Stage
{
    private const int MostArguments = CallRegisters.Count - 1;
    private const ulong AArch32Supervisor = 0x1D3;
    private const ulong AArch32Hyp = 0x1DA;
    private const int Page = 4096;

    private readonly Subject _subject;
    private readonly MachineDescription _description;

    public Stage(Subject subject, MachineKind kind, Service service)
    {
        (_subject, Kind, Service) = (subject, kind, service);
        _description = kind.Describe();
        TestMachine? machine = null;
        _subject.Watch.Over(this, "attach", () => machine = new(_description, service) { Seed = (ulong)subject.Options.Seed });
        Machine = machine!;
        AttachFailures = [.. Machine.Failures];
        FillMemory();
        _subject.Attached(this);
    }

    public MachineKind Kind { get; }

    public Service Service { get; }

    public TestMachine Machine { get; }

    /// <summary>System events are carried out. Without it a machine runs for as long as it is played on.</summary>
    public bool MayReset { get; init; } = true;

    /// <summary>What was played, the step that runs included.</summary>
    public List<Step> Played { get; } = [];

    /// <summary>The faults that the machine's attaching has brought.</summary>
    public IReadOnlyList<ServiceFailure> AttachFailures { get; }

    /// <summary>Whose code was entered last, and during what.</summary>
    public (Service? Service, string During) Entered => Machine is null ? default : Machine.Running.Leave();

    /// <summary>The state as it is saved.</summary>
    /// <exception cref="Exception">The state cannot be saved.</exception>
    public string Save()
    {
        var state = "";
        _subject.Watch.Over(this, "saving its state", () => state = Machine.StateOf(Service.Name));
        return state;
    }

    /// <summary>The state as it is saved; null where it cannot be, which one rule tells.</summary>
    public string? TrySave()
    {
        try
        {
            return Save();
        }
        catch (Exception e) when (e is not AbandonedException)
        {
            return null;
        }
    }

    /// <summary>Goes on with a saved state.</summary>
    /// <exception cref="Exception">The state cannot be restored.</exception>
    public void Restore(string json) => _subject.Watch.Over(this, "restoring its state", () => Machine.Restore(json, Service.Name));

    /// <summary>Plays a step.</summary>
    /// <returns>What it led to; null where it makes no sense now.</returns>
    public Seen? Play(Step step)
    {
        if (_subject.IsExcluded(step))
        {
            return null;
        }

        var (failed, seen, makesSense) = (Machine.Failures.Count, default(Seen), false);
        Played.Add(step);
        _subject.Watch.Over(this, "attention", () => makesSense = MakesSense(step));
        if (!makesSense && Machine.Failures.Count == failed)
        {
            Played.RemoveAt(Played.Count - 1);
            return null;
        }

        var time = _subject.Watch.Over(this, During(step), () => seen = PlayNow(step, failed));
        seen = seen! with { Time = time };
        _subject.Noted(this, step, seen);
        return seen;
    }

    /// <summary>The step, for people.</summary>
    public string Describe(Step step) => step switch
    {
        Step.Call call => Describe(call),
        Step.Attend { Intid: { } intid } attend => $"core {attend.Core}: interrupt {intid} fires{After(attend.Fate)}",
        Step.Attend attend => $"core {attend.Core}: stops, as it is wanted{After(attend.Fate)}",
        _ => step.ToString()!,
    };

    private string During(Step step) => step switch
    {
        Step.Call call => Row(call)?.Name ?? call.Id.ToString(),
        Step.Attend => "attention",
        Step.Raise => "raise",
        _ => step.ToString()!,
    };

    private bool MakesSense(Step step) => step switch
    {
        Step.Call call => call.Core < Kind.Cores,
        Step.Attend { Intid: null } attend => attend.Core < Kind.Cores && Machine.Core(attend.Core).WantsAttention,
        Step.Attend attend => attend.Core < Kind.Cores && Kind.HasInterrupts,
        Step.Report report => report.Core < Kind.Cores,
        Step.Raise raise => Service.IsRaisable && (raise.Core ?? 0) < Kind.Cores,
        Step.Reset => MayReset,
        _ => true,
    };

    private Seen PlayNow(Step step, int failed)
    {
        var what = Describe(step);
        try
        {
            return step switch
            {
                Step.Call call => Serve(call, what, failed),
                Step.Attend attend => Attend(attend, what, failed),
                Step.Raise raise => Raise(raise, what, failed),
                _ => Do(step, what, failed),
            };
        }
        catch (Exception e) when (e is not AbandonedException)
        {
            return new(what, "", default, [.. Failed(failed), new(Service, During(step), e)]);
        }
    }

    private IReadOnlyList<ServiceFailure> Failed(int before) => [.. Machine.Failures.Skip(before)];

    private ServedFunction? Row(Step.Call call) => Machine.Services.Find(call.Id, call.Conduit, call.Immediate, call.IsAArch32)?.Function;

    private Seen Serve(Step.Call call, string what, int failed)
    {
        var row = Row(call);
        var core = Machine.Description.Cores[call.Core].Mpidr;
        var registers = new CallRegisters();
        var isNarrow = call.IsAArch32 || (call.Immediate == 0 && !call.Id.IsSmc64);
        registers[0] = (ulong)call.UpperHalves << 32 | call.Id.Value;
        for (var i = 0; i < MostArguments; i++)
        {
            var argument = i < call.Arguments.Count ? call.Arguments[i] : 0;
            registers[i + 1] = isNarrow ? (ulong)call.UpperHalves << 32 | (uint)argument : argument;
        }

        var answer = Machine.Serve(
            new()
            {
                Function = call.Id,
                Conduit = call.Conduit,
                Immediate = call.Immediate,
                Core = core,
                Pstate = call.IsAArch32 ? new(Kind.ClientEl == 2 ? AArch32Hyp : AArch32Supervisor) : Kind.ClientEl == 2 ? Pstate.El2h : Pstate.El1h,
                Registers = registers,
                Supplied = row?.Traits.Used ?? 0,
            },
            []);
        var (served, wasLong) = (Machine.LastServed, Machine.LastWasLong);
        if (Carry(call.Core, answer, call.Fate, isCall: true) is { } became)
        {
            what += became;
        }

        return new(what, ResultText.Of(served), answer, Failed(failed)) { Row = served.Function, Cut = served.Cut, WasLong = wasLong };
    }

    private Seen Attend(Step.Attend attend, string what, int failed)
    {
        var answer = Machine.Core(attend.Core).Attend(Interrupted(), attend.Intid);
        Carry(attend.Core, answer, attend.Fate, isCall: false);
        return new(what, answer.Then?.ToString() ?? "goes on", answer, Failed(failed));
    }

    private Seen Raise(Step.Raise raise, string what, int failed)
    {
        var (result, text) = Machine.Raise(raise.Event, raise.Core, Service.Name);
        return new(what, $"{result.ToString().ToLowerInvariant()}: {text}", default, Failed(failed));
    }

    private Seen Do(Step step, string what, int failed)
    {
        switch (step)
        {
            case Step.Report { Change: CoreChange.Started } report:
                Machine.Core(report.Core).Started();
                break;
            case Step.Report { Change: CoreChange.Stopped } report:
                Machine.Core(report.Core).Stopped();
                break;
            case Step.Report { Change: CoreChange.Woke } report:
                Machine.Core(report.Core).Woke();
                break;
            case Step.Report report:
                Machine.Core(report.Core).Refused();
                break;
            case Step.Reset reset:
                Machine.Reset(reset.Kind);
                break;
            case Step.Attach:
                Machine.Attach(_description);
                break;
            case Step.Pass pass:
                Machine.Now += pass.Time;
                break;
            default:
                _ = (Machine.Tables, Machine.DeviceTree);
                break;
        }

        return new(what, "", default, Failed(failed));
    }

    /// <summary>What the host makes of an answer, and tells of it; for people where that is not what was asked.</summary>
    private string? Carry(int core, Answer answer, Fate fate, bool isCall)
    {
        if (fate == Fate.FellBack || (fate == Fate.Refused && answer.Then is Effect.TakeInterrupt))
        {
            if (Machine.CanFallBack(Machine.Description.Cores[core].Mpidr))
            {
                Machine.Core(core).FellBack();
            }

            return isCall && fate == Fate.Refused ? " (refused by the host)" : null;
        }

        switch (answer.Then)
        {
            case Effect.PowerOn on when fate == Fate.Refused:
                Machine.Core(Machine.Description.IndexOf(on.Core)).Refused();
                return " (refused by the host)";
            case Effect.PowerOn on:
                Machine.Core(Machine.Description.IndexOf(on.Core)).Started();
                break;
            case Effect.PowerOff:
                Machine.Core(core).Stopped();
                break;
            case Effect.SystemEvent { Type: SystemEventType.Reset or SystemEventType.Shutdown } when MayReset:
                Machine.Reset();
                break;
        }

        return null;
    }

    private string Describe(Step.Call call)
    {
        var row = Row(call);
        // Where a row names no parameters, it may still read some.
        var shown = row is { Parameters.Count: > 0 and var named } ? named : call.Arguments.Count;
        while (row is not { Parameters.Count: > 0 } && shown > 0 && call.Arguments[shown - 1] == 0)
        {
            shown--;
        }

        var arguments = Enumerable.Range(0, shown).Select(i => string.Create(CultureInfo.InvariantCulture, $"0x{(i < call.Arguments.Count ? call.Arguments[i] : 0):x}"));
        var name = call.Immediate == 0 ? row?.Name ?? call.Id.ToString() : $"{new ImmediateClaim(call.Conduit, call.Immediate)}";
        return $"core {call.Core}: {name}({string.Join(", ", arguments)}){How(call, row)}{After(call.Fate)}";
    }

    private static string How(Step.Call call, ServedFunction? row) =>
        (row is { Ids.Count: 2 } ? call.Id.IsSmc64 ? " as SMC64" : " as SMC32" : "")
        + (call.IsAArch32 ? " from AArch32" : "")
        + (call.UpperHalves != 0 ? $" with 0x{call.UpperHalves:x} in the upper halves" : "");

    private static string After(Fate fate) => fate == Fate.FellBack ? ", of which the guest sees its fallback" : "";

    private static RegisterFile Interrupted() => new()
    {
        X = [.. Enumerable.Range(0, 31).Select(n => 0x1_0000_0000ul + (ulong)n)],
        Pc = 0x4010_0000,
        Pstate = Pstate.El1h,
        SpEl0 = 0x4020_0000,
        SpEl1 = 0x4030_0000,
        VbarElc = 0x4040_0000,
    };

    /// <summary>Guests have texts and numbers where functions look for them.</summary>
    private void FillMemory()
    {
        var bytes = new byte[Page];
        new Random(_subject.Options.Seed).NextBytes(bytes);
        Machine.Memory.Write(_description.Ram[0].Base, bytes);
        Machine.Memory.Write(_description.Ram[0].Base + Page, "sanity\0");
    }
}
