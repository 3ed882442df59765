using Hypercalls.Sdk;

namespace Hypercalls.Tests.Psci;

/// <summary>The functions, situation by situation.</summary>
internal sealed partial class PsciModel
{
    private const uint Unserved = uint.MaxValue;
    private const uint Since0_2 = 0x0_0002;
    private const uint Since1_0 = 0x1_0000;
    private const uint Since1_1 = 0x1_0001;
    private const uint Since1_3 = 0x1_0003;

    public Answer Call(int index, ModelCall call, DateTimeOffset now)
    {
        var caller = Cores[index];
        Report(index, caller.Power == Power.Asleep ? CoreChange.Woke : CoreChange.Started, caller.Power is Power.On or Power.Freezing, now);

        // Bit 16 of a fast call is a hint.
        var id = call.Id >> 31 == 1 ? call.Id & ~0x1_0000u : call.Id;
        var isServed = IsServed(id) && !(call.IsAArch32 && id >> 30 == 0b11);
        ulong[] x = id >> 30 == 0b11 ? [0, call.X1, call.X2, call.X3] : [0, (uint)call.X1, (uint)call.X2, (uint)call.X3];
        var answer = isServed ? Serve(caller, id, x, call.IsAArch32, now) : Answer.NotSupported;
        _last[caller.Affinity] = (isServed ? id & 0xFF : Unserved, answer, now);
        return answer;
    }

    private void Report(int index, CoreChange change, bool isKnownToRun, DateTimeOffset now)
    {
        if (!isKnownToRun)
        {
            Report(index, change, now);
        }
    }

    private bool IsServed(uint id) => (id & 0xBFFF_FFE0) == 0x8400_0000 && (id & 0x1F) switch
    {
        0x00 or 0x02 or 0x06 or 0x08 or 0x09 => Has(Since0_2, id, hasSmc64: false),
        0x01 or 0x03 or 0x04 => Has(Since0_2, id, hasSmc64: true),
        0x0A or 0x0B or 0x0F => Has(Since1_0, id, hasSmc64: false),
        0x0C or 0x0D or 0x0E or 0x10 or 0x11 => Has(Since1_0, id, hasSmc64: true),
        0x12 or 0x14 => Has(Since1_1, id, hasSmc64: true),
        0x13 => Has(Since1_1, id, hasSmc64: false),
        0x15 => Has(Since1_3, id, hasSmc64: true),
        _ => false,
    };

    private bool Has(uint since, uint id, bool hasSmc64) => _platform.Version >= since && (hasSmc64 || id >> 30 == 0b10);

    private Answer Serve(ModelCore caller, uint id, ulong[] x, bool isAArch32, DateTimeOffset now) => (id & 0xFF) switch
    {
        0x00 => Answer.Value((ulong)_platform.Version),
        0x01 => CpuSuspend(caller, (uint)x[1], x[2], x[3], isAArch32, now),
        0x02 => Answer.NoResults with { Then = new Effect.PowerOff() },
        0x03 => CpuOn(caller, x[1], x[2], x[3], isAArch32, now),
        0x04 => AffinityInfo(x[1], (uint)x[2]),
        0x06 => Answer.Value(2),
        0x08 => Event(new(SystemEventType.Shutdown)),
        0x09 => Event(new(SystemEventType.Reset, ClearMemory: _isProtected)),
        0x0A => Features((uint)x[1]),
        0x0B => CpuFreeze(caller, now),
        0x0C => Sleep(caller, [PoweredDown], x[1], x[2], isAArch32, now),
        0x0D => NodeHwState(x[1], (uint)x[2]),
        0x0E => SystemSuspend(caller, x[1], x[2], isAArch32, now),
        0x0F => SetSuspendMode(caller, (uint)x[1]),
        0x10 => Statistic(id, x[1], (uint)x[2], (node, depth) => (ulong)(node.Ticks[depth] / TimeSpan.TicksPerMicrosecond)),
        0x11 => Statistic(id, x[1], (uint)x[2], (node, depth) => node.Counts[depth]),
        0x12 => SystemReset2((uint)x[1], x[2]),
        0x13 => MemProtect(caller, (uint)x[1]),
        0x14 => MemProtectCheckRange(x[1], x[2]),
        _ => (uint)x[1] <= 1 && x[2] == 0 ? Event(new(SystemEventType.Shutdown, [1])) : Answer.Status(-2),
    };

    private Answer CpuSuspend(ModelCore caller, uint powerState, ulong entry, ulong context, bool isAArch32, DateTimeOffset now)
    {
        if (!_platform.States.TryGetValue(powerState, out var state))
        {
            return Answer.Status(-2);
        }

        var top = state.Levels.Length - 1;
        if (_isOsInitiated && top > 0 && Cores.Any(other => other != caller && IsWithin(other.Affinity, caller, top) && (other.Allows(0) == Run || other.Power == Power.Pending)))
        {
            return Answer.Status(-3);
        }

        if (_isOsInitiated && _nodes.Exists(child => child.Level < top && !IsWithin(child.Key, caller, child.Level)
            && IsWithin(child.Key, caller, child.Level + 1) && child.Depth < state.Levels[child.Level + 1]))
        {
            return Answer.Status(-2);
        }

        if (state.Levels[0] == PoweredDown)
        {
            var answer = Sleep(caller, state.Levels, entry, context, isAArch32, now);
            _hasSuspended |= answer.Then is not null;
            return answer;
        }

        _hasSuspended = true;
        Change(caller, Power.Asleep, now, state.Levels);
        return Answer.Success with { Then = new Effect.Standby() };
    }

    private static bool IsWithin(ulong affinity, ModelCore core, int level) => ((affinity ^ core.Affinity) & s_masks[level]) == 0;

    private Answer Sleep(ModelCore caller, int[] levels, ulong entry, ulong context, bool isAArch32, DateTimeOffset now)
    {
        if (!IsEntry(entry, isAArch32))
        {
            return BadEntry;
        }

        Change(caller, Power.Asleep, now, levels);
        return Answer.Success with { Then = new Effect.PowerDown(entry, context) };
    }

    private Answer SystemSuspend(ModelCore caller, ulong entry, ulong context, bool isAArch32, DateTimeOffset now)
    {
        if (!OthersAreDown(caller))
        {
            return Answer.Status(-3);
        }

        var slept = Sleep(caller, [PoweredDown, PoweredDown, PoweredDown, PoweredDown], entry, context, isAArch32, now);
        return slept.Then is null ? slept : slept with { Then = new Effect.SystemEvent(SystemEventType.Suspend, [entry, context]) };
    }

    private Answer CpuOn(ModelCore caller, ulong affinity, ulong entry, ulong context, bool isAArch32, DateTimeOffset now)
    {
        if (Array.Find(Cores, core => core.Affinity == affinity) is not { } target)
        {
            return Answer.Status(-2);
        }

        if (!IsEntry(entry, isAArch32))
        {
            return BadEntry;
        }

        if (_platform.Denied.Contains(affinity) || target.Power == Power.Unavailable)
        {
            return Answer.Status(_platform.Version >= 0x1_0002 ? -3 : -6);
        }

        if (!target.IsDown)
        {
            return Answer.Status(target.Power == Power.Pending ? -5 : -4);
        }

        Change(target, Power.Pending, now, startedBy: caller.Affinity);
        return Answer.Success with { Then = new Effect.PowerOn(Mpidr.FromRegister(affinity), entry, context, -6) };
    }

    private Answer CpuFreeze(ModelCore caller, DateTimeOffset now)
    {
        Change(caller, Power.Freezing, now);
        return Answer.NoResults with { Then = new Effect.PowerOff() };
    }

    private Answer AffinityInfo(ulong affinity, uint level)
    {
        if (level > 3 || (affinity & ~s_masks[0]) != 0)
        {
            return Answer.Status(-2);
        }

        var powers = Cores.Where(core => ((core.Affinity ^ affinity) & s_masks[level]) == 0).Select(core => core.Power).ToArray();
        return powers.Length == 0 ? Answer.Status(-2)
            : powers.Any(power => power is Power.On or Power.Asleep or Power.Freezing) ? Answer.Value(0)
            : powers.Contains(Power.Pending) ? Answer.Value(2)
            : powers.All(power => power == Power.Unavailable) ? Answer.Status(-8)
            : Answer.Value(1);
    }

    private Answer Features(uint id) =>
        id == 0x8000_0000 ? (_platform.ServesSmccc ? Answer.Success : Answer.NotSupported)
        : !IsServed(id) ? Answer.NotSupported
        : (id & 0xFF) == 0x01 ? Answer.Value(_platform.IsExtended ? 3u : 1u)
        : (id & 0xFF) == 0x15 ? Answer.Value(1)
        : Answer.Success;

    private Answer NodeHwState(ulong affinity, uint level) =>
        level <= 3 && (affinity & ~s_masks[0]) == 0 && _nodes.Find(node => node.Level == level && node.Key == (affinity & s_masks[level])) is { } node
            ? Answer.Value(node.Depth switch { Run => 0u, PoweredDown or Down => 1, _ => 2 })
            : Answer.Status(-2);

    private Answer Statistic(uint id, ulong affinity, uint powerState, Func<ModelNode, int, ulong> read)
    {
        if (!_platform.States.TryGetValue(powerState, out var state) || !Array.Exists(Cores, core => core.Affinity == affinity))
        {
            return Answer.Value(0);
        }

        var top = state.Levels.Length - 1;
        var value = read(_nodes.Find(node => node.Level == top && node.Key == (affinity & s_masks[top]))!, state.Levels[top]);
        return Answer.Value(id >> 30 == 0b11 ? value : (uint)value);
    }

    private Answer SetSuspendMode(ModelCore caller, uint mode)
    {
        if (mode > 1)
        {
            return Answer.Status(-2);
        }

        var isAllowed = (mode == 1) == _isOsInitiated
            || (mode == 1 ? !_hasSuspended && !Array.Exists(Cores, core => core.Power is Power.Pending or Power.Freezing) : OthersAreDown(caller));
        if (!isAllowed)
        {
            return Answer.Status(-3);
        }

        _hasSuspended &= (mode == 1) == _isOsInitiated;
        (_wasOsInitiated, _isOsInitiated) = (_isOsInitiated, mode == 1);
        return Answer.Success;
    }

    private Answer SystemReset2(uint type, ulong cookie) =>
        type == 0 ? Event(new(SystemEventType.Reset, [1, 0, cookie]))
        : !_platform.VendorShutsDown.TryGetValue(type, out var shutsDown) ? Answer.Status(-2)
        : shutsDown ? Event(new(SystemEventType.Shutdown))
        : Event(new(SystemEventType.Reset, [1, type, cookie], ClearMemory: _isProtected));

    private Answer MemProtect(ModelCore caller, uint enable)
    {
        var before = Answer.Value(_isProtected ? 1u : 0);
        (_isProtected, _protectedBy) = (enable != 0, caller.Affinity);
        return before;
    }

    private Answer MemProtectCheckRange(ulong first, ulong length)
    {
        // The end is exclusive and may be 2^64.
        var (from, to) = ((UInt128)first, (UInt128)first + length);
        while (from < to && Array.Find(_platform.Ram, range => range.Base <= from && from < (UInt128)range.Base + range.Size) is { Size: > 0 } covering)
        {
            from = (UInt128)covering.Base + covering.Size;
        }

        return Answer.Status(length > 0 && from >= to ? 0 : -3);
    }

    private bool OthersAreDown(ModelCore caller) => Array.TrueForAll(Cores, core => core == caller || core.IsDown);

    private bool IsEntry(ulong entry, bool isAArch32)
    {
        var first = isAArch32 && entry % 2 == 1 ? entry - 1 : entry;
        var isAligned = entry % 4 == 0 || first != entry;
        return isAligned && (_platform.Ram.Length == 0 || Array.Exists(_platform.Ram, range => range.Base <= first && first < range.Base + range.Size));
    }

    private Answer BadEntry => Answer.Status(_platform.Version >= Since1_0 ? -9 : -2);

    private static Answer Event(Effect.SystemEvent effect) => Answer.NoResults with { Then = effect };
}
