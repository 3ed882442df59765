using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>Who answers which call of a machine: its kernel, a service, nobody. Point and list come from one rule.</summary>
internal sealed class AnswerRegister(ServedMachine machine)
{
    /// <summary>Who answers one call.</summary>
    public Answerer At(Caller caller, uint w0)
    {
        var kernel = machine.Kernel.Find(caller.Conduit, caller.IsAArch32, caller.Immediate, w0);
        var known = machine.Loaded.Find(new(w0), caller.Conduit, caller.Immediate, caller.IsAArch32);
        if (kernel.Disposition != Disposition.Forwarded)
        {
            return new(By(kernel.Disposition), Function: known?.Function, Shadowed: known?.Service, Reason: kernel.Reason);
        }

        if (!machine.Conduits.Contains(caller.Conduit))
        {
            return new(Answered.Nobody, Function: known?.Function, Shadowed: known?.Service, Reason: $"the host serves no {Name(caller.Conduit)}");
        }

        if (known is not var (service, function))
        {
            return Unversioned(caller, new(w0)) is { } unversioned
                ? new(Answered.Nobody, Function: unversioned.Function, Shadowed: unversioned.Service, Reason: $"nobody serves {unversioned.VersionName}")
                : new(Answered.Nobody);
        }

        return machine.Services.Find(new(w0), caller.Conduit, caller.Immediate, caller.IsAArch32) is not null
            ? new(Answered.Service, service, function, Reason: kernel.Reason)
            : new(Answered.Nobody, Function: function, Shadowed: service, Reason: WhyNot(caller, service, new(w0)));
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
            else if (open.Value.Answerer != answerer || NameOf(answerer.Function, caller.Immediate, new(open.Value.First)) != NameOf(answerer.Function, caller.Immediate, new(start)))
            {
                yield return (open.Value.First, start - 1, open.Value.Answerer);
                open = (start, answerer);
            }
        }

        yield return (open!.Value.First, uint.MaxValue, open.Value.Answerer);
    }

    /// <summary>The name of a call: of the row that has it, else of the tables of specifications. Behind an immediate w0 is no ID.</summary>
    public static string NameOf(ServedFunction? function, ushort immediate, FunctionId id) =>
        function?.Name ?? (immediate == 0 && FunctionNames.TryGetName(id, out var name) ? name : "");

    private UnversionedFunction? Unversioned(Caller caller, FunctionId id) => caller.Immediate != 0 || id.HasReservedBits || (caller.IsAArch32 && id.IsSmc64)
        ? null
        : machine.Loaded.Unversioned.FirstOrDefault(unversioned => unversioned.Id == id.WithoutHint);

    private string WhyNot(Caller caller, Service service, FunctionId id)
    {
        var withheld = caller.Immediate == 0
            ? machine.Conflicts.Withheld.GetValueOrDefault(id.WithoutHint)
            : machine.Conflicts.Withheld.Values.FirstOrDefault(function => function.Service == service);
        return withheld is null ? "none of what it counts is served" : $"{withheld.VersionName} does not arrive";
    }

    private IEnumerable<ulong> Starts(Caller caller)
    {
        yield return 0;
        foreach (var range in machine.Kernel.Of(caller.Conduit, caller.IsAArch32, caller.Immediate == 0).ToArray())
        {
            yield return range.First;
        }

        if (caller.Immediate != 0)
        {
            yield break;
        }

        var served = machine.Loaded.All.SelectMany(service => service.Rows).SelectMany(row => row.Ids);
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
