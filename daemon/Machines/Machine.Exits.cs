using System.Runtime.CompilerServices;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The exits of a machine's cores: one turn, one commit, one answer each.</summary>
internal sealed partial class Machine
{
    /// <summary>Completes when the boot of an exit has begun: exit and reset travel on different streams.</summary>
    public async ValueTask BootBegunAsync(ulong boot)
    {
        var began = _clock.GetTimestamp();
        while (boot > Volatile.Read(ref _boot) && _deadline - _clock.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            var next = _nextBoot.Task;
            if (boot > Volatile.Read(ref _boot))
            {
                await Task.WhenAny(next, Task.Delay(left, _clock));
            }
        }
    }

    /// <summary>Serves a hypercall; a repeated exit gets the committed answer.</summary>
    /// <param name="core">The calling core.</param>
    /// <param name="head">Of the exit.</param>
    /// <param name="call">The call.</param>
    /// <param name="received">When it came, by the clock's timestamp: its deadline runs from then.</param>
    /// <param name="served">What the service gave; <c>default</c> where none was asked.</param>
    /// <param name="continuation">What has become of what the function began or asked for; null where it is to be called.</param>
    public AnsweredExit Hypercall(CoreSlot core, in ExitHead head, in Hypercall call, long received, out Served served, Continuation? continuation = null)
    {
        served = default;
        try
        {
            if (!TryTakeTurn(received))
            {
                return NotServed(head, Busy);
            }

            if (IsKnown(core, head, out var known))
            {
                return known;
            }

            if (!_served.Conduits.Span.Contains(call.Conduit))
            {
                throw new OutOfOrderException($"exit.hypercall.conduit: the host of {Name} did not say in its Hello that calls come by {call.Conduit.ToString().ToUpperInvariant()}.");
            }

            Begin(core, head);
            Serve(call, out served, continuation);
            var ended = _clock.GetTimestamp();
            if (_clock.GetElapsedTime(received, ended) >= _deadline)
            {
                served = served with { Answer = Answer.NotSupported };
                return Late(head, served, received, ended);
            }

            if (served.Need is not null || served.Work is not null)
            {
                var unfinished = new UnfinishedCall(call, served, received);
                served = default;
                return new(head, Answer.NotSupported, 0, false, null) { Unfinished = unfinished };
            }

            if (served.Failure is { } failure)
            {
                Fault(failure);
            }

            if (continuation is Continuation.Finished)
            {
                core.Work = null;
            }

            Calls++;
            Advance(served);
            core.LastCall = call;
            return Finish(core, new(head, served.Answer, _commit, false, served.Failure?.ToString() ?? served.Note) { IsCall = true });
        }
        catch (DeposedException e)
        {
            served = default;
            return NotServed(head, e.Message);
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>The run of a long function for an exit: the one that runs for it already, or a new one.</summary>
    /// <returns>Null where the core's last one still runs, though nobody waits for it: a guest must not gather them.</returns>
    public RunningWork? Work(CoreSlot core, ExitHead head, UnfinishedCall unfinished) => InTurn(() =>
    {
        if (core.Work is { } work && (work.IsOf(head) || !work.Finished.IsCompleted))
        {
            return work.IsOf(head) ? work : null;
        }

        return core.Work = RunningWork.Start(head, unfinished, _clock);
    });

    /// <summary>The deadline of a call has passed that was not answered.</summary>
    public AnsweredExit TooLate(in ExitHead head, UnfinishedCall unfinished, string what)
    {
        var note = $"{unfinished.Served.Service!.Name} {what} in {unfinished.Served.Function!.Name} for longer than {_deadline.TotalMilliseconds} ms: nothing is committed.";
        InTurn(() => { Failures++; });
        _faults.Report(Name, note);
        return NotServed(head, note);
    }

    /// <summary>A call that is not begun, because the core's last one has not ended.</summary>
    public static AnsweredExit StillWorking(in ExitHead head) => NotServed(head, "The last long function of this core has not ended: it was given up, and still runs.");

    /// <summary>Until the deadline of a call.</summary>
    public TimeSpan Left(UnfinishedCall unfinished) => Left(unfinished.Received);

    /// <summary>A core stopped on request: the service that wants it loads registers, or it goes on unchanged.</summary>
    public AnsweredExit Attention(CoreSlot core, in ExitHead head, AttentionExit exit, long received)
    {
        return Exit(core, head, received, exitHead =>
        {
            Effect? effect = null;
            // An interrupt that fired is told first: it would be told by no other exit.
            var isByHand = exit.Intid is null && core.Queued.TryPeek(out effect);
            var served = isByHand ? new(_state, Answer.NoResults with { Then = effect }, null, null, null) : Attend(core, exit);
            var ended = _clock.GetTimestamp();
            if (_clock.GetElapsedTime(received, ended) >= _deadline)
            {
                return Late(exitHead, served, received, ended);
            }

            if (isByHand)
            {
                core.Queued.Dequeue();
                _isUntold = true;
            }

            if (served.Failure is { } failure)
            {
                core.NoLongerAsks(failure.Service);
                _isUntold = true;
                Fault(failure);
            }

            Advance(served);
            return Finish(core, new(exitHead, served.Answer, _commit, false, served.Failure?.ToString())
            {
                Attended = served.Service is { } service && service != served.Failure?.Service && served.Answer != Answer.NoResults ? (service, exit) : null,
                ByHand = effect,
            });
        });
    }

    /// <summary>A suspended core goes on.</summary>
    public AnsweredExit Wake(CoreSlot core, in ExitHead head, long received) =>
        Exit(core, head, received, exitHead => Finish(core, new(exitHead, Answer.NoResults, _commit, false, null)));

    /// <summary>A host's report on its way to stopping.</summary>
    public AnsweredExit Report(CoreSlot core, in ExitHead head, string report, long received) => Exit(core, head, received, exitHead =>
    {
        Failures++;
        _faults.Report(Name, $"Core {core.Number}: {report}.");
        return Finish(core, new(exitHead, Answer.NoResults, _commit, false, report));
    });

    private string Busy => $"{Name} was busy for {_deadline.TotalMilliseconds} ms.";

    /// <summary>Of the deadline of what came then.</summary>
    private TimeSpan Left(long received) => _deadline - _clock.GetElapsedTime(received);

    private AnsweredExit Exit(CoreSlot core, ExitHead head, long received, Func<ExitHead, AnsweredExit> answer)
    {
        try
        {
            if (!TryTakeTurn(received))
            {
                return NotServed(head, Busy);
            }

            if (IsKnown(core, head, out var known))
            {
                return known;
            }

            Begin(core, head);
            return answer(head);
        }
        catch (DeposedException e)
        {
            return NotServed(head, e.Message);
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>Past the deadline nothing is committed: the host may have given the exit up already.</summary>
    private AnsweredExit Late(in ExitHead head, in Served served, long received, long ended)
    {
        var (waited, ran) = (_clock.GetElapsedTime(received, _entered), _clock.GetElapsedTime(_entered, ended));
        var note = $"{served.Service?.Name ?? "Nobody"} took {ran.TotalMilliseconds:0} ms in {served.Function?.Name ?? "attention"}, after {waited.TotalMilliseconds:0} ms of waiting for others: past {_deadline.TotalMilliseconds} ms nothing is committed.";
        Failures++;
        _faults.Report(Name, note);
        return NotServed(head, note);
    }

    private static AnsweredExit NotServed(in ExitHead head, string note) => new(head, Answer.NotSupported, 0, false, note) { IsNotServed = true };

    /// <summary>The answer of an exit that is not to be served, or not again.</summary>
    private bool IsKnown(CoreSlot core, in ExitHead head, out AnsweredExit known)
    {
        CheckIsCurrent(core);
        if (head.Boot > _boot)
        {
            throw new OutOfOrderException($"exit.boot: {head.Boot} has not begun on {Name}, which is in boot {_boot}.");
        }

        if (head.Boot < _boot)
        {
            // The guest that made it is gone, and so is whoever could read an answer.
            known = new(head, Answer.NoResults, 0, false, "An exit of an older boot.");
            return true;
        }

        if (core.HasLast && core.Last.Head.ExitId == head.ExitId)
        {
            known = core.Last;
            return true;
        }

        if (head.ExitId < core.Newest || head.ExitId <= core.GivenUp)
        {
            // Overtaken on its way by what its host has sent since.
            known = NotServed(head, "The host has given this exit up.");
            return true;
        }

        Unsafe.SkipInit(out known);
        return false;
    }

    private void CheckIsCurrent(CoreSlot core)
    {
        if (core.Number >= _cores.Length || _cores[core.Number] != core)
        {
            throw new OutOfOrderException($"open: a host has attached {Name} again since this stream was opened. Open another.");
        }
    }

    private void Begin(CoreSlot core, in ExitHead head)
    {
        if (core.HasLast)
        {
            ref readonly var last = ref core.Last;
            // An exit that is not the last one served and changed nothing: it fell back, before it arrived here or unserved.
            if (head.Previous is not { } previous || (previous.ExitId != last.Head.ExitId && (previous.Applied || previous.ExitId < last.Head.ExitId)))
            {
                throw new OutOfOrderException(
                    $"exit.previous.exit_id: core {core.Mpidr} of {Name} has exit {last.Head.ExitId} in flight; exit {head.ExitId} does not say what became of it.");
            }
        }

        core.Newest = head.ExitId;
        if (head.Previous is { Applied: false } unseen)
        {
            GiveUp(core, unseen);
        }

        // An exit of a core is proof that it runs, whether or not the host's report has overtaken it.
        if (core.Power != CorePower.On || core.LosesContext)
        {
            ChangePower(core, core.Power == CorePower.Suspended || core.LosesContext ? CoreChange.Woke : CoreChange.Started);
        }
    }

    /// <summary>The guest has had its fallback for this exit, and for all since the last one that was applied.</summary>
    private void GiveUp(CoreSlot core, PreviousExit exit)
    {
        if (exit.ExitId > core.GivenUp)
        {
            core.GivenUp = exit.ExitId;
            Fallbacks++;
        }

        if (core.HasLast && core.Last is var last && last.Head.ExitId > exit.LastApplied && last.Head.ExitId <= exit.ExitId)
        {
            // Once: the next exit says the same.
            core.HasLast = false;
            core.LosesContext = false;
            if (last.IsCall)
            {
                var call = core.LastCall;
                Commit((services, state, running) => services.NotApplied(state, call, last.Answer, running));
            }
            else if (last.Attended is var (service, exitOf))
            {
                Commit((services, state, running) => services.NotApplied(state, service, exitOf, last.Answer, running));
            }
            else if (last.ByHand is { } effect)
            {
                core.Queued.Enqueue(effect);
                _isUntold = true;
            }
        }
    }

    private void Advance(in Served served) =>
        Advance(served.State, hasEffect: served.Answer is not { Then: null, EndedInterrupts.Count: 0, ReturnedInterrupts.Count: 0 });

    private void Advance(MachineState state, bool hasEffect)
    {
        if (!ReferenceEquals(state, _state) || hasEffect)
        {
            _state = state;
            _commit++;
            _isUntold = true;
        }
    }

    private AnsweredExit Finish(CoreSlot core, in AnsweredExit answered)
    {
        if (answered.Answer.Then is { Suspends: true } suspend)
        {
            (core.Power, core.LosesContext) = (CorePower.Suspended, suspend.LosesContext);
        }

        // Before attention is asked for: a service that hangs there does not undo what is committed.
        core.Last = answered;
        core.HasLast = true;
        // The calling core is told twice, by its answer and by the level: the answer may never arrive.
        if (_isUntold)
        {
            TellAttention();
        }

        if (core.AttentionTold)
        {
            core.Last = core.Last with { AttendBeforeResume = true };
        }

        return core.Last;
    }
}
