namespace Hypercalls.Sdk;

/// <summary>A service as the daemon sees it. Authors derive from <see cref="Service{TState}"/>.</summary>
public abstract class Service
{
    private protected Service()
    {
    }

    /// <summary>Its name, such as PSCI: unique in the daemon.</summary>
    public abstract string Name { get; }

    /// <summary>For people: the version of the specification or of the service.</summary>
    public abstract string Version { get; }

    /// <summary>The enum whose members are the service's status codes; results print as its names.</summary>
    public virtual Type? Statuses => null;

    /// <summary>
    /// Whether a kernel may answer this service's functions in its place. A service that does not yield is refused a machine
    /// whose kernel keeps one of them: it would never see those calls.
    /// </summary>
    public virtual bool YieldsToKernel => false;

    /// <summary>
    /// Functions of others whose calls must not go unseen, since this service keeps rules that follow them: cores that start, stop and sleep. Where a kernel answers one of
    /// them itself, no service hears of it, and a machine that would have this service is refused.
    /// </summary>
    public virtual ValueArray<FunctionId> Follows => [];

    /// <summary>Immediates other than 0 that the service takes as a whole.</summary>
    public virtual IReadOnlyList<ImmediateClaim> Claims => [];

    /// <summary>
    /// Call UID and Revision of owners of functions, where this service says them (DEN0028, General service queries). Where it names any owner, all its functions are of those that it names.
    /// </summary>
    public virtual IReadOnlyList<OwnerIdentity> Owners => [];

    /// <summary>The rows of the service's table.</summary>
    public abstract IReadOnlyList<ServedFunction> Rows { get; }

    /// <summary>Whether it takes events from outside (<see cref="IRaisable{TState}"/>).</summary>
    public abstract bool IsRaisable { get; }

    internal abstract ServedFunction? ClaimedFunction { get; }

    /// <summary>A state as JSON.</summary>
    /// <param name="state">Of this service.</param>
    /// <returns>One JSON object.</returns>
    public abstract string Save(object state);

    /// <summary>A state from the JSON that this service, or an earlier version of it, saved.</summary>
    /// <param name="json">One JSON object. Unknown members are ignored, missing ones have their initialisers.</param>
    /// <returns>Of this service.</returns>
    /// <exception cref="StateException">It is no state of this service, or one of a later version.</exception>
    public abstract object Restore(string json);

    internal abstract object NewState();

    internal abstract object Attached(object state, MachineDescription machine);

    internal abstract object CoreChanged(object state, CoreReport report);

    internal abstract object Reset(object state, ResetKind kind, MachineDescription machine);

    internal abstract object NotApplied(object state, in Hypercall call, in Answer answer);

    internal abstract bool HasAttention { get; }

    internal abstract bool WantsAttention(object state, Mpidr core);

    internal abstract Rendered Attend(object state, AttentionExit exit);

    internal abstract object NotApplied(object state, AttentionExit exit, in Answer answer);

    internal abstract bool HasInterrupts { get; }

    internal abstract bool Holds(object state, uint intid);

    internal abstract object Fired(object state, Mpidr core, uint intid);

    internal abstract (object State, RaiseResult Result, string Text) Raise(object state, in RaisedEvent raised);

    internal abstract ValueArray<StateTable> Tables(object state, MachineDescription machine);
}

/// <summary>A service: a table of functions over a state that is an immutable record.</summary>
/// <typeparam name="TState">An immutable record whose properties have <c>init</c> and initialisers; one value per machine.</typeparam>
public abstract class Service<TState> : Service
    where TState : class, new()
{
    private readonly StateJson _json = new();
    private IReadOnlyList<ServedFunction>? _rows;

    /// <summary>What it serves.</summary>
    public abstract FunctionTable<TState> Functions { get; }

    /// <summary>What it does with calls that carry one of its <see cref="Service.Claims"/>.</summary>
    protected virtual Serve<TState>? Claimed => null;

    /// <inheritdoc/>
    public sealed override IReadOnlyList<ServedFunction> Rows => _rows ??= [.. Functions];

    /// <inheritdoc/>
    public sealed override bool IsRaisable => this is IRaisable<TState>;

    internal override ServedFunction? ClaimedFunction => Claimed is { } code
        ? new ServedFunction<TState>([], $"{Name} immediate", code, default, [])
        : null;

    internal override bool HasAttention => this is IAttention<TState>;

    /// <inheritdoc/>
    public sealed override string Save(object state) => _json.Save((TState)state, this as IUpgradable);

    /// <inheritdoc/>
    public sealed override object Restore(string json) => _json.Restore<TState>(json, this as IUpgradable);

    internal override object NewState() => new TState();

    internal override object Attached(object state, MachineDescription machine) =>
        this is ICoreLifecycle<TState> cores ? cores.Attached((TState)state, machine) : state;

    internal override object CoreChanged(object state, CoreReport report) =>
        this is ICoreLifecycle<TState> cores ? cores.CoreChanged((TState)state, report) : state;

    internal override object Reset(object state, ResetKind kind, MachineDescription machine) =>
        this is IResets<TState> resets ? resets.Reset((TState)state, kind, machine) : Attached(NewState(), machine);

    internal override object NotApplied(object state, in Hypercall call, in Answer answer) =>
        this is INotApplied<TState> undo ? undo.NotApplied((TState)state, call, answer) : state;

    internal override bool WantsAttention(object state, Mpidr core) =>
        this is IAttention<TState> attention && attention.WantsAttention((TState)state, core);

    internal override Rendered Attend(object state, AttentionExit exit)
    {
        if (this is not IAttention<TState> attention)
        {
            return new(null, Answer.NoResults, null);
        }

        var outcome = attention.Attend((TState)state, exit);
        return new(outcome.State, outcome.Answer, outcome.More);
    }

    internal override object NotApplied(object state, AttentionExit exit, in Answer answer) =>
        this is IAttention<TState> attention ? attention.NotApplied((TState)state, exit, answer) : state;

    internal override bool HasInterrupts => this is IInterrupts<TState>;

    internal override bool Holds(object state, uint intid) => this is IInterrupts<TState> interrupts && interrupts.Holds((TState)state, intid);

    internal override object Fired(object state, Mpidr core, uint intid) =>
        this is IInterrupts<TState> interrupts ? interrupts.Fired((TState)state, core, intid) : state;

    internal override (object State, RaiseResult Result, string Text) Raise(object state, in RaisedEvent raised)
    {
        if (this is not IRaisable<TState> raisable)
        {
            return (state, RaiseResult.Refused, $"{Name} takes no events.");
        }

        var became = raisable.Raise((TState)state, raised);
        return (became.State, became.Result, became.Text);
    }

    internal override ValueArray<StateTable> Tables(object state, MachineDescription machine) =>
        this is IStateTables<TState> tables ? tables.Tables((TState)state, machine) : [];
}

/// <summary>A (conduit, immediate) pair that leads to one service, whatever w0 holds.</summary>
/// <param name="Conduit">SMC or HVC.</param>
/// <param name="Immediate">1 to 0xFFFF.</param>
public readonly record struct ImmediateClaim(Conduit Conduit, ushort Immediate)
{
    /// <summary>SMC #0x1.</summary>
    /// <returns>The instruction.</returns>
    public override string ToString() => $"{(Conduit == Conduit.Smc ? "SMC" : "HVC")} #0x{Immediate:X}";
}
