using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Hosts.Vcpus;

/// <summary>
/// The power of all cores, under the one lock of the machine: who is off, who starts, and whether the machine has been told to power off or to reset.
/// </summary>
internal sealed class CorePowers
{
    private enum Power
    {
        /// <summary>No BOOT exit yet in this boot.</summary>
        Resetting,

        /// <summary>Its last exit stands unanswered.</summary>
        Off,

        /// <summary>Its thread has yet to answer that exit.</summary>
        Starting,

        On,
    }

    private sealed class Core
    {
        public Power Power { get; set; }

        public bool InCall { get; set; }

        /// <summary>On, and waiting for an interrupt because a call asked for it.</summary>
        public bool IsSuspended { get; set; }

        public CoreStart? Start { get; set; }
    }

    private readonly Lock _gate = new();
    private readonly Core[] _cores;
    private readonly IPowerRecords? _records;
    private readonly string _machine;
    private IMachineEvents? _events;
    private ulong[] _mpidrs;
    private string? _resetCause;
    private ResetKind _resetKind = ResetKind.Cold;
    private bool _ending;
    private ResetKind _untoldKind = ResetKind.Cold;
    private string? _untoldCause;

    /// <summary>As they are before the machine has come out of reset. Machine names who reset it where no vCPU did.</summary>
    public CorePowers(int count, string machine, IPowerRecords? records = null)
    {
        (_machine, _records) = (machine, records);
        _cores = [.. Enumerable.Range(0, count).Select(_ => new Core())];
        _mpidrs = new ulong[count];
    }

    /// <summary>The guest's life between resets, counted by the monitor from 1; 0 before the first.</summary>
    public uint Boot { get; private set; }

    /// <summary>A committed power-off or reset: nothing may be answered any more in this boot.</summary>
    public bool IsEnding
    {
        get
        {
            lock (_gate)
            {
                return _ending;
            }
        }
    }

    /// <summary>As a host process that takes over finds them: these cores, in this boot, which was entered by that reset.</summary>
    public void TakeOver(uint boot, IReadOnlyList<CoreBefore> cores, ResetKind kind, string? cause)
    {
        lock (_gate)
        {
            Boot = boot;
            (_untoldKind, _untoldCause) = (kind, cause);
            foreach (var (core, found) in _cores.Zip(cores))
            {
                core.Power = !found.IsOff ? Power.On : found.Start is null ? Power.Off : Power.Starting;
                core.Start = found.Start;
                (core.InCall, core.IsSuspended) = (found is { IsOff: false, InCall: true }, found.IsSuspended);
            }
        }
    }

    /// <summary>From now on changes are told.</summary>
    public void Report(IMachineEvents events, ulong bootKnown, ulong[] mpidrs)
    {
        lock (_gate)
        {
            _events = events;
            _mpidrs = mpidrs;
            if (Boot != bootKnown)
            {
                events.ResetHappened(Boot, _untoldKind, _untoldCause ?? _machine);
            }
            _records?.Told(Boot);
        }
    }

    /// <summary>The boot and the power of every core, as one moment shows them; every change after it is told.</summary>
    public (ulong Boot, IReadOnlyList<CorePower> Powers) Now()
    {
        lock (_gate)
        {
            return (Boot, [.. _cores.Select(core => core switch
            {
                { Power: Power.On, IsSuspended: true } => CorePower.Suspended,
                // It runs as soon as its thread has written what it starts with.
                { Power: Power.On or Power.Starting } => CorePower.On,
                _ => CorePower.Off,
            })]);
        }
    }

    /// <summary>Takes a BOOT exit; false when its number cannot be. All is true when every core has made its own of this boot.</summary>
    public bool TryBoot(int number, uint boot, out bool all)
    {
        lock (_gate)
        {
            all = false;
            // Only a reset makes a BOOT exit, and a reset counts: the same number twice, or a smaller one, is forged.
            if (boot < Boot || (boot == Boot && _cores[number].Power != Power.Resetting))
            {
                return false;
            }
            if (boot > Boot)
            {
                BeginBoot(boot);
            }
            _cores[number].Power = Power.Off;
            all = Array.TrueForAll(_cores, core => core.Power == Power.Off);
            return true;
        }
    }

    /// <summary>Every core stands at its BOOT exit or is off.</summary>
    public bool AllAreOff
    {
        get
        {
            lock (_gate)
            {
                return Array.TrueForAll(_cores, core => core.Power == Power.Off);
            }
        }
    }

    /// <summary>Starts the core that the machine itself starts; false when a reset has come in between.</summary>
    public bool TryStartBootCore(CoreStart start)
    {
        lock (_gate)
        {
            if (!Array.TrueForAll(_cores, core => core.Power == Power.Off))
            {
                return false;
            }
            _records?.Starts(0, Boot, start);
            _cores[0].Start = start;
            _cores[0].Power = Power.Starting;
            return true;
        }
    }

    /// <summary>CPU_ON: false when the core cannot be started, as one that is on already.</summary>
    public bool TryPowerOn(int target, CoreStart start)
    {
        lock (_gate)
        {
            var core = _cores[target];
            if (_ending || core.Start is not null)
            {
                return false;
            }
            switch (core.Power)
            {
                case Power.Off:
                    _records?.Starts(target, Boot, start);
                    core.Power = Power.Starting;
                    core.Start = start;
                    return true;
                case Power.On when core.InCall:
                    // Its CPU_OFF was committed before this start, but the answer is still on its way here.
                    _records?.Starts(target, Boot, start);
                    core.Start = start;
                    return true;
                default:
                    return false;
            }
        }
    }

    /// <summary>The start that a core's thread has to carry out, once.</summary>
    public CoreStart? TakeStart(int number)
    {
        lock (_gate)
        {
            var core = _cores[number];
            if (core.Power != Power.Starting)
            {
                return null;
            }
            var start = core.Start;
            core.Start = null;
            core.Power = Power.On;
            return start;
        }
    }

    public void Started(int number, ulong commit) => Tell(number, CoreChange.Started, commit);

    public void Refused(int number, ulong commit) => Tell(number, CoreChange.Refused, commit);

    public bool IsOn(int number)
    {
        lock (_gate)
        {
            return _cores[number].Power == Power.On;
        }
    }

    /// <summary>A core that somebody else switches on and off, the kernel, makes an exit: it is on.</summary>
    public void Appear(int number)
    {
        lock (_gate)
        {
            if (!_ending && _cores[number].Power == Power.Off)
            {
                _cores[number].Power = Power.On;
                _events?.CoreStateChanged(_mpidrs[number], CoreChange.Started, 0);
            }
        }
    }

    public void EnterCall(int number)
    {
        lock (_gate)
        {
            (_cores[number].InCall, _cores[number].IsSuspended) = (true, false);
        }
    }

    /// <summary>The call is over and the core stays on: a start that waited for its CPU_OFF is refused after all.</summary>
    public void LeaveCall(int number, bool isSuspended = false)
    {
        lock (_gate)
        {
            var core = _cores[number];
            (core.InCall, core.IsSuspended) = (false, isSuspended);
            if (core is { Power: Power.On, Start: { } start })
            {
                core.Start = null;
                _events?.CoreStateChanged(_mpidrs[number], CoreChange.Refused, start.Commit);
            }
        }
    }

    /// <summary>The core's exit stays unanswered; a start that came early follows at once.</summary>
    public void PowerOff(int number, ulong commit)
    {
        lock (_gate)
        {
            var core = _cores[number];
            if (_ending || core.Power != Power.On)
            {
                return;
            }
            (core.InCall, core.IsSuspended) = (false, false);
            core.Power = core.Start is null ? Power.Off : Power.Starting;
            _events?.CoreStateChanged(_mpidrs[number], CoreChange.Stopped, commit);
        }
    }

    /// <summary>False when another core was first. A reset's cause and kind are told with the boot that follows.</summary>
    public bool TryEnd(string? resetCause, ResetKind resetKind = ResetKind.Cold)
    {
        lock (_gate)
        {
            if (_ending)
            {
                return false;
            }
            _ending = true;
            (_resetCause, _resetKind) = (resetCause, resetKind);
            return true;
        }
    }

    private void BeginBoot(uint boot)
    {
        var first = Boot == 0;
        Boot = boot;
        _ending = false;
        foreach (var core in _cores)
        {
            core.Power = Power.Resetting;
            core.Start = null;
            (core.InCall, core.IsSuspended) = (false, false);
        }
        if (!first && _events is { } events)
        {
            events.ResetHappened(boot, _resetKind, _resetCause ?? _machine);
            _records?.Told(boot);
        }
        else
        {
            (_untoldKind, _untoldCause) = (_resetKind, _resetCause);
        }
        (_resetCause, _resetKind) = (null, ResetKind.Cold);
    }

    private void Tell(int number, CoreChange change, ulong commit)
    {
        lock (_gate)
        {
            _events?.CoreStateChanged(_mpidrs[number], change, commit);
        }
    }
}

/// <summary>A core as a host process that takes over finds it.</summary>
/// <param name="IsOff">It stands at the exit of a reset or of a power-off.</param>
/// <param name="Start">The start with which that exit is to be answered, or when the one that is unanswered turns out to be a power-off.</param>
/// <param name="InCall">Its last exit is unanswered.</param>
/// <param name="IsSuspended">It waits for an interrupt, because a call asked for it.</param>
internal readonly record struct CoreBefore(bool IsOff, CoreStart? Start, bool InCall, bool IsSuspended);
