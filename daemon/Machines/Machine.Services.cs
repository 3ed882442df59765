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

    /// <summary>Whether a service has kept the turn for longer than any call may take.</summary>
    public bool IsOverdue => _turn.IsInServiceSince(_deadline);

    /// <summary>Goes on without a service that has not come back, though nobody waits for the machine.</summary>
    public void Relieve()
    {
        if (TryTakeTurn(TimeSpan.Zero))
        {
            EndTurn();
        }
    }

    private T InTurn<T>(Func<T> change)
    {
        if (_turn.Take())
        {
            GoOnWithoutRunning();
        }

        try
        {
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

    private bool TryTakeTurn(TimeSpan atMost)
    {
        if (!_turn.TryTake(atMost, mayDepose: true, out var wasOverdue))
        {
            return false;
        }

        if (wasOverdue)
        {
            GoOnWithoutRunning();
        }

        return true;
    }

    private void EndTurn()
    {
        if (_turn.IsMine)
        {
            _isHostsReport = false;
            _turn.Return();
        }
    }

    private void GoOnWithoutRunning()
    {
        if (_running.Service is { } hung && !_failed.Contains(hung))
        {
            _failed.Add(hung);
            _served = _served.Without(hung);
            var sentence = $"{hung.Name} has not come back from {_running.During} within {_patience.TotalMilliseconds} ms: {Name} goes on without it until it is attached anew.";
            Failures++;
            Remark(sentence);
            _faults.Report(Name, sentence);
        }

        if (_isHostsReport)
        {
            _isHostsReport = false;
            Dismiss(new("A service has not come back from what this host reported: attach again."));
        }

        if (_unfinished is { } step)
        {
            Commit(step);
            TellAttention();
        }
    }

    private void Commit(Func<ServiceSet, MachineState, RunningService, Stepped> step)
    {
        _unfinished = step;
        _turn.EnterService();
        var stepped = step(_served.Services, _state, _running);
        _turn.LeaveService();
        _unfinished = null;
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

    private Served Serve(in Hypercall call)
    {
        _turn.EnterService();
        var served = _served.Services.Serve(call, _state, _running);
        _turn.LeaveService();
        return served;
    }

    private Served Attend(CoreSlot core, AttentionExit exit)
    {
        _turn.EnterService();
        var served = _served.Services.Attend(_state, exit, core.Inattentive, _running);
        _turn.LeaveService();
        return served;
    }

    /// <summary>What services want the guest to find; one that fails here adds nothing.</summary>
    private ValueArray<DeviceTreeNode> DeviceTree()
    {
        _turn.EnterService();
        var nodes = _served.Services.DeviceTree(Description, out var failures, _running);
        _turn.LeaveService();
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

        for (var i = 0; i < cores.Length; i++)
        {
            // A core that is off makes no attention exit; a suspended one is woken by it.
            var isWanted = cores[i].Power is CorePower.On or CorePower.Suspended && (wanted[i] || cores[i].Queued.Count > 0);
            if (isWanted != cores[i].AttentionTold)
            {
                cores[i].AttentionTold = isWanted;
                Tell(new ToHost.Attention(cores[i].Mpidr, isWanted));
            }
        }
    }

    private void AskServices(CoreSlot[] cores, Span<bool> wanted)
    {
        List<(CoreSlot, ServiceFailure)>? failures = null;
        _turn.EnterService();
        for (var i = 0; i < cores.Length; i++)
        {
            wanted[i] = _served.Services.WantsAttention(_state, cores[i].Mpidr, out var failure, cores[i].Inattentive, _running);
            if (failure is not null)
            {
                (failures ??= []).Add((cores[i], failure));
            }
        }

        _turn.LeaveService();
        foreach (var (core, failure) in failures ?? [])
        {
            core.NoLongerAsks(failure.Service);
            Fault(failure);
        }
    }

    /// <summary>A host that does not read what it is told is let go, and told all levels when it attaches again.</summary>
    private void Tell(ToHost message)
    {
        if (_toHost is { } channel && !channel.Writer.TryWrite(message) && channel.Writer.TryComplete())
        {
            _faults.Report(Name, $"{Host} does not read what it is told: its stream is ended, and it may attach again.");
        }
    }

    private void Fault(ServiceFailure failure)
    {
        Failures++;
        _faults.Report(Name, failure);
    }
}
