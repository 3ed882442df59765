using System.Collections.Frozen;
using System.Runtime.CompilerServices;

namespace Hypercalls.Sdk;

/// <summary>
/// All services of a daemon, and the rules that hold for every one of them: routing, widths, unknown identifiers, failures
/// (DEN0028, Function identifiers; Unknown function identifier). Pure: what locks, deadlines and commits are for is the daemon's.
/// </summary>
public sealed partial class ServiceSet : IServedFunctions
{
    private readonly FrozenDictionary<uint, Route> _routes;
    private readonly FrozenDictionary<ImmediateClaim, Route> _claims;
    private readonly IReadOnlyList<OwnerIdentity> _owners;
    /// <summary>The services that take part, by their places: those that are withheld are not asked for anything.</summary>
    private readonly int[] _active;
    private readonly int[] _attentive;
    /// <summary>In the places of <see cref="Services"/>, made once: every commit asks.</summary>
    private readonly Stay[] _attending;
    private readonly IReadOnlySet<FunctionId> _withheld = new HashSet<FunctionId>();

    /// <summary>Lays the tables of all services beside each other.</summary>
    /// <param name="services">In any order.</param>
    /// <param name="owners">What the operator says of owners of functions, beside what services say.</param>
    /// <exception cref="ServiceConflictException">Two services have one name, claim one identifier or immediate, or say different things of one owner.</exception>
    public ServiceSet(IEnumerable<Service> services, IEnumerable<OwnerIdentity>? owners = null)
    {
        Services = [.. services];
        Unversioned = UnversionedFunction.Among(Services);
        _owners = [.. owners ?? []];
        HashSet<FunctionId> unserved = [.. Unversioned.Select(function => function.Id)];
        All = [.. Services, new GeneralQueries(Services, unserved, _owners)];
        _active = [.. Enumerable.Range(0, Services.Count)];
        _attentive = [.. _active.Where(i => Services[i].HasAttention)];
        _attending = [.. Services.Select(service => new Stay(service, Attention))];
        _routes = Routes(unserved).ToFrozenDictionary();
        _claims = ClaimRoutes().ToFrozenDictionary();
    }

    private ServiceSet(ServiceSet all, IReadOnlySet<FunctionId> withheld, IEnumerable<int> active)
    {
        (Services, Unversioned, _owners, _withheld) = (all.Services, all.Unversioned, all._owners, withheld);
        HashSet<FunctionId> unserved = [.. Unversioned.Select(function => function.Id), .. withheld];
        All = [.. Services, new GeneralQueries(Services, unserved, _owners)];
        _active = [.. active];
        _attentive = [.. all._attentive.Intersect(_active)];
        _attending = all._attending;
        _routes = Routes(unserved).ToFrozenDictionary();
        _claims = ClaimRoutes().Where(claim => _active.Contains(claim.Value.Service)).ToFrozenDictionary();
    }

    /// <summary>The services.</summary>
    public IReadOnlyList<Service> Services { get; }

    /// <summary>Functions in a service's table that are not served, because nobody serves the VERSION function of their family.</summary>
    public IReadOnlyList<UnversionedFunction> Unversioned { get; }

    /// <summary>The services, and last the framework's own: the general queries of owners. For lists of what is served.</summary>
    public IReadOnlyList<Service> All { get; }

    /// <summary>What a caller can expect to be answered.</summary>
    /// <param name="conduit">SMC or HVC.</param>
    /// <param name="isAArch32">Whether the caller runs in AArch32 state.</param>
    /// <param name="kernel">What lies between the guest and the services; null where everything is forwarded.</param>
    /// <returns>A view, to be kept: asking it allocates nothing.</returns>
    public IServedFunctions SeenBy(Conduit conduit, bool isAArch32, IKernelShare? kernel = null) => new View(this, conduit, isAArch32, kernel);

    /// <summary>The same services for a machine on which some functions are not served. States of both are the same.</summary>
    /// <param name="withheld">Functions. A service that has others than these goes on; one that has not takes no part.</param>
    /// <returns>The set that remains.</returns>
    public ServiceSet Without(IReadOnlySet<FunctionId> withheld)
    {
        HashSet<FunctionId> all = [.. _withheld, .. withheld];
        return new(this, all, _active.Where(i => Services[i].Rows is [] || Services[i].Rows.SelectMany(row => row.Ids).Any(id => !all.Contains(id))));
    }

    /// <summary>The same services for a machine on which one of them takes no part any longer. States of both are the same.</summary>
    /// <param name="failed">The service that is neither called nor asked nor told.</param>
    /// <returns>The set that remains.</returns>
    public ServiceSet Without(Service failed)
    {
        ArgumentNullException.ThrowIfNull(failed);
        return new(this, new HashSet<FunctionId>([.. _withheld, .. failed.Rows.SelectMany(row => row.Ids)]), _active.Where(i => Services[i] != failed));
    }

    /// <summary>The states that services begin with: none of them has heard of a machine.</summary>
    /// <returns>One state per service.</returns>
    public MachineState Initial() => new([.. All.Select(service => service.NewState())]);

    /// <summary>The states of all services for a machine that has just attached.</summary>
    /// <param name="machine">What its host says.</param>
    /// <returns>One state per service.</returns>
    public MachineState NewState(MachineDescription machine) => Attached(machine).State;

    /// <summary>A machine has attached for the first time.</summary>
    /// <param name="machine">What its host says.</param>
    /// <returns>One state per service, an initial one for a service that throws.</returns>
    public Stepped Attached(MachineDescription machine) => Attached(Initial(), machine);

    /// <inheritdoc/>
    public bool Contains(FunctionId id) => !id.HasReservedBits && _routes.ContainsKey(id.WithoutHint.Value);

    /// <summary>Whether calls with an immediate of a service's own are served.</summary>
    /// <param name="claim">Conduit and immediate.</param>
    /// <returns>False too where the service is withheld.</returns>
    public bool Serves(ImmediateClaim claim) => _claims.ContainsKey(claim);

    /// <summary>Who serves a call, before widths and states are looked at.</summary>
    /// <param name="id">The identifier in w0.</param>
    /// <param name="conduit">SMC or HVC.</param>
    /// <param name="immediate">Of the instruction; 0 where unknown.</param>
    /// <param name="isAArch32">Whether the caller runs in AArch32 state.</param>
    /// <returns>The service and its row; null where the call gives NOT_SUPPORTED.</returns>
    public (Service Service, ServedFunction Function)? Find(FunctionId id, Conduit conduit, ushort immediate, bool isAArch32) =>
        FindRoute(id, conduit, immediate, isAArch32) is { } route ? (All[route.Service], route.Function) : null;

    /// <summary>Serves one call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="state">The states it finds.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The answer with its registers extended, and the states to commit before it leaves; or what the function lacks or does before it answers.</returns>
    public Served Serve(in Hypercall call, MachineState state, RunningService? running = null)
    {
        if (FindRoute(call.Function, call.Conduit, call.Immediate, call.Pstate.IsAArch32) is not { } route)
        {
            return new(state, Answer.NotSupported, null, null, null);
        }

        if (call.Immediate == 0 && call.Function.HasSveHint)
        {
            return ServeWithoutHint(call, state, running);
        }

        running?.Enter(route.Stay, call.Core);
        try
        {
            var rendered = route.Function.Serve(call, state[route.Service]);
            return rendered.More is null ? Answered(rendered, call, state, route, running) : Unfinished(rendered.More, call, state, route);
        }
        catch (Exception e)
        {
            return Failed(state, route, e);
        }
    }

    /// <summary>The host listed the cores again: the list wins over what the states remember.</summary>
    /// <param name="state">The states.</param>
    /// <param name="machine">What the host says.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with.</returns>
    public Stepped Attached(MachineState state, MachineDescription machine, RunningService? running = null) =>
        Step(state, "attach", running, (service, old) => service.Attached(old, machine));

    /// <summary>The host reported a core.</summary>
    /// <param name="state">The states.</param>
    /// <param name="report">What happened, to which core, when.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with.</returns>
    public Stepped CoreChanged(MachineState state, CoreReport report, RunningService? running = null) =>
        Step(state, "core change", running, (service, old) => service.CoreChanged(old, report));

    /// <summary>The machine was reset.</summary>
    /// <param name="state">The states.</param>
    /// <param name="kind">Cold or warm.</param>
    /// <param name="machine">The machine, every core off.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with.</returns>
    public Stepped Reset(MachineState state, ResetKind kind, MachineDescription machine, RunningService? running = null) =>
        Step(state, "reset", running, (service, old) => service.Reset(old, kind, machine));

    /// <summary>The host fell back instead of applying an answer.</summary>
    /// <param name="state">The states.</param>
    /// <param name="call">The call.</param>
    /// <param name="answer">What the guest never saw.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with.</returns>
    public Stepped NotApplied(MachineState state, Hypercall call, Answer answer, RunningService? running = null) =>
        FindRoute(call.Function, call.Conduit, call.Immediate, call.Pstate.IsAArch32) is { } route
            ? Step(state, "not applied", running, (service, old) => service == All[route.Service] ? service.NotApplied(old, AsServed(call), answer) : old)
            : new(state, []);

    // Rare ways stand apart: what they keep on the stack would be cleared at each call.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Served ServeWithoutHint(in Hypercall call, MachineState state, RunningService? running) => Serve(AsServed(call), state, running);

    // The SVE hint is for routing: no service sees it, in a call or when it is told of one again.
    private static Hypercall AsServed(in Hypercall call) =>
        call.Immediate == 0 && call.Function.HasSveHint ? call with { Function = call.Function.WithoutHint } : call;

    private static bool IsWide(in Answer answer, in Hypercall call) =>
        answer.Kind == ResultKind.None || call.Function.IsSmc64 || call.Immediate != 0;

    /// <summary>Data wider than 32 bits, or a status that is no 32-bit number.</summary>
    private static RegisterValue? CutOf(in Answer answer, in Hypercall call)
    {
        if (IsWide(answer, call))
        {
            return null;
        }

        var x0 = answer.Kind == ResultKind.Status ? answer.X0 == (ulong)(int)answer.X0 : answer.X0 <= uint.MaxValue;
        return !x0 ? new(0, answer.X0)
            : answer.X1 > uint.MaxValue ? new(1, answer.X1)
            : answer.X2 > uint.MaxValue ? new(2, answer.X2)
            : answer.X3 > uint.MaxValue ? new(3, answer.X3)
            : answer.Beyond.Count == 0 ? null
            : answer.Beyond.Where(register => register.Value > uint.MaxValue).Select(register => (RegisterValue?)register).FirstOrDefault();
    }

    private static Answer Widen(in Answer answer, in Hypercall call) =>
        IsWide(answer, call)
            ? answer
            : answer with
            {
                // A status is 64 bits already; beside it stands data.
                X0 = answer.Kind == ResultKind.Status ? answer.X0 : (uint)answer.X0,
                X1 = (uint)answer.X1,
                X2 = (uint)answer.X2,
                X3 = (uint)answer.X3,
                Beyond = Widen(answer.Beyond),
            };

    private static ValueArray<RegisterValue> Widen(ValueArray<RegisterValue> registers) => registers.Count == 0
        ? registers
        : [.. registers.Select(register => register with { Value = (uint)register.Value })];

    private Stepped Step(MachineState state, string step, RunningService? running, Func<Service, object, object> change)
    {
        List<ServiceFailure>? failures = null;
        foreach (var i in _active)
        {
            running?.Enter(Services[i], step);
            try
            {
                state = Replaced(state, i, change(Services[i], state[i]));
            }
            catch (Exception e)
            {
                (failures ??= []).Add(new(Services[i], step, e));
            }
        }

        return new(state, failures ?? []);
    }

    private Route? FindRoute(FunctionId id, Conduit conduit, ushort immediate, bool isAArch32)
    {
        if (immediate != 0)
        {
            return _claims.TryGetValue(new(conduit, immediate), out var claim) ? claim : null;
        }

        // An SMC64 identifier from AArch32 is an unknown one; so is a fast one with reserved bits.
        return !id.HasReservedBits && !(isAArch32 && id.IsSmc64) && _routes.TryGetValue(id.WithoutHint.Value, out var route) ? route : null;
    }
}
