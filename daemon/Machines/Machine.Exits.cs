using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The exits of a machine's cores: one lock, one commit, one answer each.</summary>
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
    public (AnsweredExit Answered, Served? Served, bool FellBack) Hypercall(CoreSlot core, in ExitHead head, in Hypercall call)
    {
        var started = _clock.GetTimestamp();
        if (!_lock.TryEnter(_deadline))
        {
            core.AnsweredBusy = head.ExitId;
            if (head.Previous is { Applied: false } unseen)
            {
                core.UnseenBeforeBusy = unseen.ExitId;
            }

            return (Late(head, $"{Name} was busy for {_deadline.TotalMilliseconds} ms."), null, true);
        }

        try
        {
            Calls++;
            if (Repeated(core, head) is { } repeated)
            {
                return (repeated, null, false);
            }

            Begin(core, head);
            var served = _served.Services.Serve(call, _state);
            if (_clock.GetElapsedTime(started) > _deadline)
            {
                Failures++;
                _faults.Report(Name, $"{served.Service?.Name} took longer than {_deadline.TotalMilliseconds} ms in {served.Function?.Name}: the call was not committed.");
                return (Finish(core, Late(head, "The service was late.")), served with { Answer = Answer.NotSupported }, true);
            }

            if (served.Failure is { } failure)
            {
                Fault(failure);
            }

            Advance(served);
            return (Finish(core, new(head, call, served.Answer, _commit, Wants(core), served.Failure?.ToString())), served, false);
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>A core stopped on request: the service that wants it loads registers, or it goes on unchanged.</summary>
    public AnsweredExit Attention(CoreSlot core, in ExitHead head, AttentionExit exit)
    {
        lock (_lock)
        {
            if (Repeated(core, head) is { } repeated)
            {
                return repeated;
            }

            Begin(core, head);
            var served = core.Queued.TryDequeue(out var effect)
                ? new(_state, Answer.NoResults with { Then = effect }, null, null, null)
                : _served.Services.Attend(_state, exit);
            if (served.Failure is { } failure)
            {
                core.AttentionFailed = true;
                Fault(failure);
            }

            Advance(served);
            return Finish(core, new(head, null, served.Answer, _commit, Wants(core), served.Failure?.ToString()));
        }
    }

    /// <summary>A suspended core goes on.</summary>
    public AnsweredExit Wake(CoreSlot core, in ExitHead head)
    {
        lock (_lock)
        {
            if (Repeated(core, head) is { } repeated)
            {
                return repeated;
            }

            Begin(core, head);
            return Finish(core, new(head, null, Answer.NoResults, _commit, Wants(core), null));
        }
    }

    /// <summary>A host's report on its way to stopping.</summary>
    public AnsweredExit Report(CoreSlot core, in ExitHead head, string report)
    {
        lock (_lock)
        {
            if (Repeated(core, head) is { } repeated)
            {
                return repeated;
            }

            Begin(core, head);
            Failures++;
            _faults.Report(Name, $"Core {core.Number}: {report}.");
            return Finish(core, new(head, null, Answer.NoResults, _commit, false, report));
        }
    }

    /// <summary>A call made by hand. Its effect, where one is allowed, leaves with the next attention exit of the calling core.</summary>
    /// <exception cref="OutOfOrderException">It would have an effect, and none is allowed or none can be carried out.</exception>
    public Served CallByHand(CoreSlot core, in Hypercall call, bool apply)
    {
        if (!_lock.TryEnter(_deadline))
        {
            throw new OutOfOrderException($"{Name} was busy for {_deadline.TotalMilliseconds} ms: a service does not let go of it.");
        }

        try
        {
            var served = _served.Services.Serve(call, _state);
            if (served.Answer.Then is { } effect)
            {
                if (!apply)
                {
                    throw new OutOfOrderException($"The call would {effect} on {Name}; nothing was changed. Allow it with apply.");
                }

                if (core.Power is not (CorePower.On or CorePower.Suspended) || _toHost is null)
                {
                    throw new OutOfOrderException($"Core {core.Mpidr} of {Name} does not run, so nothing can {effect} there; nothing was changed.");
                }

                core.Queued.Enqueue(effect);
            }

            if (served.Failure is { } failure)
            {
                Fault(failure);
            }

            Calls++;
            Advance(served);
            TellAttention();
            return served;
        }
        finally
        {
            _lock.Exit();
        }
    }

    private static AnsweredExit Late(in ExitHead head, string note) => new(head, null, Answer.NotSupported, 0, false, note);

    private AnsweredExit? Repeated(CoreSlot core, in ExitHead head)
    {
        if (core.Number >= _cores.Length || _cores[core.Number] != core)
        {
            throw new OutOfOrderException($"open: a host has attached {Name} again since this stream was opened. Open another.");
        }

        if (head.Boot > _boot)
        {
            throw new OutOfOrderException($"exit.boot: {head.Boot} has not begun on {Name}, which is in boot {_boot}.");
        }

        if (head.Boot < _boot)
        {
            // The guest that made it is gone, and so is whoever could read an answer.
            return new(head, null, Answer.NoResults, 0, false, "An exit of an older boot.");
        }

        return core.Last is { } last && last.Head.Boot == head.Boot && last.Head.ExitId == head.ExitId ? last : null;
    }

    private void Begin(CoreSlot core, in ExitHead head)
    {
        if (core.Last is { } last)
        {
            // Two kinds of exit are not the last one served and changed nothing: one that fell back before it arrived here, and one that was answered while the machine was busy.
            if (head.Previous is not { } previous
                || (previous.ExitId != last.Head.ExitId && previous.ExitId != core.AnsweredBusy && (previous.Applied || previous.ExitId < last.Head.ExitId)))
            {
                throw new OutOfOrderException(
                    $"exit.previous.exit_id: core {core.Mpidr} of {Name} has exit {last.Head.ExitId} in flight; exit {head.ExitId} does not say what became of it.");
            }

            if (!previous.Applied)
            {
                Fallbacks++;
            }

            var isUnseen = core.UnseenBeforeBusy == last.Head.ExitId || (!previous.Applied && last.Head.ExitId > previous.LastApplied);
            core.UnseenBeforeBusy = null;
            if (isUnseen && last.Call is { } unseen)
            {
                Commit(_served.Services.NotApplied(_state, unseen, last.Answer));
            }
        }

        // An exit of a core is proof that it runs, whether or not the host's report has overtaken it.
        if (core.Power != CorePower.On)
        {
            ChangePower(core, core.Power == CorePower.Suspended ? CoreChange.Woke : CoreChange.Started);
        }
    }

    private void Advance(in Served served)
    {
        if (!ReferenceEquals(served.State, _state) || served.Answer.Then is not null)
        {
            _state = served.State;
            _commit++;
        }
    }

    private AnsweredExit Finish(CoreSlot core, in AnsweredExit answered)
    {
        core.Power = answered.Answer.Then is { Suspends: true } ? CorePower.Suspended : core.Power;
        core.Last = answered;
        // The calling core is told twice, by its answer and by the level: the answer may never arrive.
        TellAttention();
        return answered;
    }
}
