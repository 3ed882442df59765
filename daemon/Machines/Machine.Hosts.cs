using System.Security.Cryptography;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The hosts of a machine, one after the other, and what they report outside any exit.</summary>
internal sealed partial class Machine
{
    private const int MostGreeted = 8;

    /// <summary>Tokens of hosts that were greeted and are not ready yet.</summary>
    private readonly List<byte[]> _greeted = [];

    /// <summary>A host is about to attach again: not to be forgotten meanwhile.</summary>
    public void Touch() => Since = _clock.GetTimestamp();

    /// <summary>A token for a host that says Hello: the machine's where it has never been attached, else one that becomes the machine's when this host is ready.</summary>
    public byte[] Greet()
    {
        lock (_greeted)
        {
            if (!_ready.Task.IsCompleted)
            {
                return Token;
            }

            // Those of hosts that never became ready do not pile up.
            while (_greeted.Count >= MostGreeted)
            {
                _greeted.RemoveAt(0);
            }

            _greeted.Add(RandomNumberGenerator.GetBytes(TokenBytes));
            return _greeted[^1];
        }
    }

    /// <summary>Whether a Hello with this token is for this machine: its own, or one that was given to a host which has not been ready yet.</summary>
    public bool Knows(ReadOnlySpan<byte> token)
    {
        lock (_greeted)
        {
            var isKnown = CryptographicOperations.FixedTimeEquals(Token, token);
            foreach (var greeted in _greeted)
            {
                isKnown |= CryptographicOperations.FixedTimeEquals(greeted, token);
            }

            return isKnown;
        }
    }

    /// <summary>Whether the machine is attached with this token, or will be: vCPUs open with no other.</summary>
    public bool IsToken(ReadOnlySpan<byte> token) => CryptographicOperations.FixedTimeEquals(Token, token);

    /// <summary>A host has become ready, the first or one that takes over: its list of cores wins, and it is told every level of attention anew. The token that it was greeted with is the machine's from now on, and no other.</summary>
    /// <returns>What it is to be told, and what its guest finds in its device tree.</returns>
    /// <exception cref="OutOfOrderException">A later Hello has attached it: this Ready was on its way for too long, and its host is gone.</exception>
    public (HostLine Line, ValueArray<DeviceTreeNode> DeviceTree) Attach(MachineDescription description, string host, ulong boot, ServedMachine served, byte[] token) => InTurn(() =>
    {
        TakeToken(token);
        _isHostsReport = true;
        Dismiss(new("Another host process has taken this machine over.", TakenOver: true));

        var line = new HostLine(description.Cores.Count);
        _served = _failed.Aggregate(served, (all, failed) => all.Without(failed));
        TakeOver(description, host, boot);
        var nodes = DeviceTree();
        _toHost = line;
        Since = _clock.GetTimestamp();
        TellAttention();
        _ready.TrySetResult(true);
        return (line, nodes);
    });

    /// <summary>Its first host left before it was ready.</summary>
    public void Abandon() => _ready.TrySetResult(false);

    /// <summary>The stream of a host ended; false where another host has taken over meanwhile.</summary>
    public bool Lose(HostLine line)
    {
        if (Interlocked.CompareExchange(ref _toHost, null, line) != line)
        {
            return false;
        }

        line.End();
        Touch();
        return true;
    }

    /// <summary>Tells the host why its streams are about to end.</summary>
    public void Dismiss(ToHost.Goodbye goodbye) => _toHost?.End(goodbye);

    public void CoreChanged(HostLine line, Mpidr mpidr, CoreChange change) => InTurn(() =>
    {
        CheckIsHosts(line);
        var core = Core(mpidr) ?? throw new OutOfOrderException($"core_state.core: {Name} has no core {mpidr}.");
        ChangePower(core, change);
        TellAttention();
    });

    /// <summary>The host gave an exit up: what was committed for it did not happen.</summary>
    public void FellBack(HostLine line, Mpidr mpidr, ulong boot, PreviousExit exit) => InTurn(() =>
    {
        CheckIsHosts(line);
        var core = Core(mpidr) ?? throw new OutOfOrderException($"fell_back.core: {Name} has no core {mpidr}.");
        if (boot == _boot)
        {
            GiveUp(core, exit);
            TellAttention();
        }
    });

    /// <summary>The guest begins a new life: answers of older boots are dropped.</summary>
    public void Reset(HostLine line, ulong boot, ResetKind kind) => InTurn(() =>
    {
        CheckIsHosts(line);
        if (boot <= _boot)
        {
            throw new OutOfOrderException($"reset.boot: {boot} does not follow {_boot}.");
        }

        BeginBoot(boot);
        var machine = WithPower();
        Commit((services, state, running) => services.Reset(state, kind, machine, running));
        TellAttention();
    });

    private void TakeToken(byte[] token)
    {
        lock (_greeted)
        {
            var greeting = _greeted.IndexOf(token);
            if (greeting < 0 && (token != Token || _ready.Task.IsCompleted))
            {
                throw new OutOfOrderException($"ready: {Name} was attached by a later Hello meanwhile.");
            }

            // Those of later Hellos may be ready yet.
            _greeted.RemoveRange(0, greeting + 1);
            Token = token;
        }
    }

    /// <summary>What a host has said before another one was ready is history.</summary>
    private void CheckIsHosts(HostLine line)
    {
        if (_toHost != line)
        {
            throw new OutOfOrderException($"message: this stream is not that of {Name}'s host any longer.");
        }

        _isHostsReport = true;
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
            TellBoot(boot);
            var off = description with { Cores = [.. description.Cores.Select(core => core with { Power = CorePower.Off })] };
            Commit((services, state, running) => services.Reset(state, ResetKind.Cold, off, running));
        }

        Commit((services, state, running) => services.Attached(state, description, running));
    }

    private void BeginBoot(ulong boot)
    {
        foreach (var core in _cores)
        {
            core.Forget();
        }

        TellBoot(boot);
    }

    private void TellBoot(ulong boot)
    {
        Volatile.Write(ref _boot, boot);
        Interlocked.Exchange(ref _nextBoot, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
