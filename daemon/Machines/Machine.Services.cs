using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>How a machine runs services: in its turn, and without those that do not come back.</summary>
internal sealed partial class Machine
{
    private readonly List<Service> _failed = [];
    /// <summary>A step that has yet to be committed. Where a service hangs in it, it is done again without that one.</summary>
    private Func<ServiceSet, MachineState, RunningService, Stepped>? _unfinished;
    /// <summary>The turn is that of the host's stream: where it hangs, the host is not heard any longer.</summary>
    private bool _isHostsReport;
    /// <summary>The state has changed since levels of attention were told.</summary>
    private bool _isUntold;
    /// <summary>Another one for those who go on without a service: its thread keeps the one before.</summary>
    private RunningService _running;
    private uint? _sectionSeen;
    /// <summary>Since when what has the turn has it: since it came, where it did not have to wait.</summary>
    private long _entered;

    /// <summary>Whether a service runs now.</summary>
    public bool IsInService => _turn.Section is not null;

    /// <summary>To be called as often as a call may last: goes on without a service that was in the same stay the last time, though nobody waits for the machine.</summary>
    public void Relieve()
    {
        var section = _turn.Section;
        var isSame = section is not null && section == _sectionSeen;
        _sectionSeen = section;
        if (!isSame || !_turn.TryTakeFrom(section!.Value))
        {
            return;
        }

        try
        {
            GoOnWithoutRunning();
        }
        catch (DeposedException)
        {
            // What it went on with hung too, and somebody else goes on.
        }
        finally
        {
            EndTurn();
        }
    }

    private T InTurn<T>(Func<T> change)
    {
        var wasOverdue = _turn.Take();
        try
        {
            if (wasOverdue)
            {
                GoOnWithoutRunning();
            }

            return change();
        }
        finally
        {
            EndTurn();
        }
    }

    private void InTurn(Action change) => InTurn(() =>
    {
        change();
        return true;
    });

    /// <summary>To be followed by <see cref="EndTurn"/> whatever becomes of it, an exception of its own too.</summary>
    /// <param name="received">When what wants the turn came, by the clock's timestamp: it waits until its deadline.</param>
    private bool TryTakeTurn(long received)
    {
        if (_turn.TryTakeAtOnce())
        {
            _entered = received;
            return true;
        }

        if (!_turn.TryTake(Left(received), mayDepose: true, out var wasOverdue))
        {
            return false;
        }

        _entered = _clock.GetTimestamp();
        if (wasOverdue)
        {
            GoOnWithoutRunning();
        }

        return true;
    }

    private void EndTurn()
    {
        if (!_turn.IsMine)
        {
            return;
        }

        try
        {
            if (_isUntold)
            {
                // A call that was late, or that somebody went on without: what it has changed is told all the same.
                TellAttention();
            }
        }
        catch (DeposedException)
        {
            return;
        }

        _isHostsReport = false;
        _turn.Return();
    }

    private void GoOnWithoutRunning()
    {
        var (hung, during) = _running.Leave();
        _running = new(Name);
        if (hung is not null && !_failed.Contains(hung))
        {
            _failed.Add(hung);
            var sentence = $"{hung.Name} has not come back from {during} within {_patience.TotalMilliseconds} ms: {Name} goes on without it.";
            Failures++;
            Remark(sentence);
            _faults.Report(Name, sentence);
            _served = _served.Without(hung);
        }

        if (_isHostsReport)
        {
            _isHostsReport = false;
            if (_toHost is { } line)
            {
                line.End(new("A service has not come back from what this host reported: attach again."));
                Lose(line);
            }
        }

        if (_unfinished is { } step)
        {
            Commit(step);
        }
    }

    private void Commit(Func<ServiceSet, MachineState, RunningService, Stepped> step)
    {
        _unfinished = step;
        _turn.EnterService();
        var stepped = step(_served.Services, _state, _running);
        LeaveService();
        _unfinished = null;
        _isUntold = true;
        foreach (var failure in stepped.Failures)
        {
            Fault(failure);
        }

        if (!ReferenceEquals(stepped.State, _state))
        {
            _state = stepped.State;
            _commit++;
        }
    }

    private void Serve(in Hypercall call, out Served served, Continuation? continuation = null)
    {
        _turn.EnterService();
        if (continuation is null)
        {
            served = _served.Services.Serve(call, _state, _running);
        }
        else
        {
            served = continuation switch
            {
                Continuation.Finished finished => _served.Services.Finish(call, finished.Work, _state, _running),
                Continuation.Lacks lacks => Lacking(lacks),
                _ => throw new ArgumentOutOfRangeException(nameof(continuation)),
            };
        }

        FaultPoint.AfterService();
        LeaveService();
    }

    private Served Lacking(Continuation.Lacks lacks)
    {
        var (service, function) = (lacks.Call.Served.Service!, lacks.Call.Served.Function!);
        return new(_state, Answer.NotSupported, service, function, new(service, function.Name, new NotSupportedException(lacks.Why)));
    }

    private Served Attend(CoreSlot core, AttentionExit exit)
    {
        _turn.EnterService();
        var served = _served.Services.Attend(_state, exit, core.Inattentive, _running);
        LeaveService();
        return served;
    }

    /// <summary>What services want the guest to find; one that fails here adds nothing.</summary>
    private ValueArray<DeviceTreeNode> DeviceTree()
    {
        _turn.EnterService();
        var nodes = _served.Services.DeviceTree(Description, out var failures, _running);
        LeaveService();
        foreach (var failure in failures)
        {
            Fault(failure);
        }

        return nodes;
    }

    /// <summary>Attention is a level derived from state: whoever changed the state tells what has changed with it.</summary>
    private void TellAttention()
    {
        var cores = _cores;
        Span<bool> wanted = stackalloc bool[cores.Length];
        if (_served.Services.HasAttention)
        {
            AskServices(cores, wanted);
        }

        _isUntold = false;

        for (var i = 0; i < cores.Length; i++)
        {
            var isWanted = IsReachable(cores[i]) && (wanted[i] || cores[i].Queued.Count > 0);
            if (isWanted != cores[i].AttentionTold)
            {
                cores[i].AttentionTold = isWanted;
                Tell(new ToHost.Attention(cores[i].Mpidr, isWanted));
            }
        }
    }

    /// <summary>A core that is off makes no attention exit; a suspended one is woken by it.</summary>
    private static bool IsReachable(CoreSlot core) => core.Power is CorePower.On or CorePower.Suspended;

    private void AskServices(CoreSlot[] cores, Span<bool> wanted)
    {
        List<(CoreSlot, ServiceFailure)>? failures = null;
        _turn.EnterService();
        for (var i = 0; i < cores.Length; i++)
        {
            if (!IsReachable(cores[i]))
            {
                continue;
            }

            wanted[i] = _served.Services.WantsAttention(_state, cores[i].Mpidr, out var failure, cores[i].Inattentive, _running);
            if (failure is not null)
            {
                (failures ??= []).Add((cores[i], failure));
            }
        }

        LeaveService();
        foreach (var (core, failure) in failures ?? [])
        {
            core.NoLongerAsks(failure.Service);
            Fault(failure);
        }
    }

    /// <summary>A host that does not read what it is told is let go, and told all levels when it attaches again.</summary>
    private void Tell(ToHost message)
    {
        if (_toHost is { } line && !line.TryTell(message))
        {
            _faults.Report(Name, $"{Host} does not read what it is told: its stream is ended, and it may attach again.");
        }
    }

    /// <exception cref="DeposedException">Somebody else goes on with the machine.</exception>
    private void LeaveService()
    {
        RunningService.LeaveThread();
        _turn.LeaveService();
    }

    private void Fault(ServiceFailure failure)
    {
        Failures++;
        _faults.Report(Name, failure);
    }
}
