using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>Who answers which call of a machine: its kernel, a service, nobody. Point and list come from one rule.</summary>
internal sealed class AnswerRegister
{
    private readonly ServiceSet _loaded;
    private readonly ServiceSet _served;
    private readonly KernelRegisterRanges _kernel;
    private readonly KernelConflicts _conflicts;
    private readonly ValueArray<Conduit> _conduits;

    private AnswerRegister(ServiceSet loaded, KernelRegisterRanges kernel, KernelConflicts conflicts, ValueArray<Conduit> conduits)
    {
        _loaded = loaded;
        _served = conflicts.Served(loaded);
        (_kernel, _conflicts, _conduits) = (kernel, conflicts, conduits);
    }

    /// <summary>Of an attached machine.</summary>
    public static AnswerRegister Of(ServiceSet services, Machine machine) => new(services, machine.Kernel, machine.Conflicts, machine.Description.Conduits);

    /// <summary>Of a kernel of which only the register is known.</summary>
    public static AnswerRegister Of(ServiceSet services, KernelRegisterRanges kernel)
    {
        ValueArray<Conduit> both = [Conduit.Smc, Conduit.Hvc];
        return new(services, kernel, KernelConflicts.Of(services, kernel, both), both);
    }

    /// <summary>Who answers one call.</summary>
    public Answerer At(Caller caller, uint w0)
    {
        if (!_conduits.Contains(caller.Conduit))
        {
            return new(Answered.Nobody, Reason: $"{Name(caller.Conduit)} does not leave this machine");
        }

        var kernel = _kernel.Find(caller.Conduit, caller.IsAArch32, caller.Immediate, w0);
        var known = _loaded.Find(new(w0), caller.Conduit, caller.Immediate, caller.IsAArch32);
        if (kernel.Disposition != Disposition.Forwarded)
        {
            return new(By(kernel.Disposition), Function: known?.Function, Shadowed: known?.Service, Reason: kernel.Reason);
        }

        if (known is not var (service, function))
        {
            return Unversioned(caller, new(w0)) is { } unversioned
                ? new(Answered.Nobody, Function: unversioned.Function, Shadowed: unversioned.Service, Reason: $"nobody serves {unversioned.Version}")
                : new(Answered.Nobody);
        }

        return _served.Find(new(w0), caller.Conduit, caller.Immediate, caller.IsAArch32) is not null
            ? new(Answered.Service, service, function, Reason: kernel.Reason)
            : new(Answered.Nobody, Function: function, Shadowed: service, Reason: $"{_conflicts.Withheld[service].Function.Name} of {service.Name} does not arrive");
    }

    /// <summary>The whole of w0: sorted, without gap or overlap; a range ends where the answer changes.</summary>
    public IEnumerable<(uint First, uint Last, Answerer Answerer)> Ranges(Caller caller)
    {
        var starts = new SortedSet<ulong>(Starts(caller));
        starts.Remove(1ul << 32);
        (uint First, Answerer Answerer)? open = null;
        foreach (uint start in starts)
        {
            var answerer = At(caller, start);
            if (open is null)
            {
                open = (start, answerer);
            }
            else if (open.Value.Answerer != answerer || NameOf(caller, open.Value.First, open.Value.Answerer) != NameOf(caller, start, answerer))
            {
                yield return (open.Value.First, start - 1, open.Value.Answerer);
                open = (start, answerer);
            }
        }

        yield return (open!.Value.First, uint.MaxValue, open.Value.Answerer);
    }

    /// <summary>The spec's name of an ID: of the row that has it, else of the tables of specifications.</summary>
    public static string NameOf(Caller caller, uint w0, Answerer answerer) =>
        answerer.Function?.Name ?? (caller.Immediate == 0 && FunctionNames.TryGetName(new(w0), out var name) ? name : "");

    private UnversionedFunction? Unversioned(Caller caller, FunctionId id) => caller.Immediate != 0 || id.HasReservedBits || (caller.IsAArch32 && id.IsSmc64)
        ? null
        : _loaded.Unversioned.FirstOrDefault(unversioned => unversioned.Id == id.WithoutHint);

    private IEnumerable<ulong> Starts(Caller caller)
    {
        yield return 0;
        if (!_conduits.Contains(caller.Conduit))
        {
            yield break;
        }

        foreach (var range in _kernel.Of(caller.Conduit, caller.IsAArch32, caller.Immediate == 0).ToArray())
        {
            yield return range.First;
        }

        if (caller.Immediate != 0)
        {
            yield break;
        }

        var served = _loaded.All.SelectMany(service => service.Rows).SelectMany(row => row.Ids);
        foreach (var id in served.Concat(FunctionNames.Functions.SelectMany(function => function.Ids)))
        {
            yield return id.Value;
            yield return id.Value + 1ul;
            if (id.IsFast)
            {
                // The same function with the SVE hint.
                yield return id.Value | 1u << 16;
                yield return (id.Value | 1u << 16) + 1ul;
            }
        }
    }

    private static string Name(Conduit conduit) => conduit == Conduit.Smc ? "SMC" : "HVC";

    private static Answered By(Disposition disposition) => disposition switch
    {
        Disposition.Kernel => Answered.Kernel,
        Disposition.Denied => Answered.Denied,
        Disposition.ClaimedButUnserved => Answered.ClaimedButUnserved,
        _ => Answered.Nobody,
    };
}

/// <summary>How a call is made, beside w0.</summary>
internal readonly record struct Caller(Conduit Conduit, bool IsAArch32, ushort Immediate);

/// <summary>Who answers.</summary>
internal enum Answered : byte
{
    Kernel,
    Service,
    Denied,
    ClaimedButUnserved,
    Nobody,
}

/// <summary>The answer of the register.</summary>
/// <param name="By">Who.</param>
/// <param name="Service">With Service, which.</param>
/// <param name="Function">The row, of that service or of the one that never sees the call.</param>
/// <param name="Shadowed">A service that has the function and never sees the call.</param>
/// <param name="Reason">The kernel's mechanism, or why nobody does.</param>
internal sealed record Answerer(Answered By, Service? Service = null, ServedFunction? Function = null, Service? Shadowed = null, string Reason = "");
