namespace Hypercalls.Sdk;

/// <summary>For services whose state follows the cores of the machine.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface ICoreLifecycle<TState>
    where TState : class
{
    /// <summary>A machine attached, or attached again: its list of cores wins over the state.</summary>
    /// <param name="state">New, or what was known of this machine.</param>
    /// <param name="machine">What the host says.</param>
    /// <returns>The state to go on with.</returns>
    TState Attached(TState state, MachineDescription machine);

    /// <summary>The host reports a core, or its first exit has arrived.</summary>
    /// <param name="state">The state.</param>
    /// <param name="report">What happened, to which core, when.</param>
    /// <returns>The state to go on with.</returns>
    TState CoreChanged(TState state, CoreReport report);
}

/// <summary>For services that keep something over a reset. Without it the state is as after attaching.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface IResets<TState>
    where TState : class
{
    /// <summary>The machine was reset. All its cores are off; the one that boots is reported as started.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="kind">Cold or warm.</param>
    /// <param name="machine">The machine, every core off.</param>
    /// <returns>The state to go on with.</returns>
    TState Reset(TState state, ResetKind kind, MachineDescription machine);
}

/// <summary>For services whose answers matter beyond the caller's registers.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface INotApplied<TState>
    where TState : class
{
    /// <summary>The host could not apply an answer and gave the guest its fallback.</summary>
    /// <param name="state">The state now.</param>
    /// <param name="hypercall">The call.</param>
    /// <param name="answer">What the guest never saw.</param>
    /// <returns>The state to go on with.</returns>
    TState NotApplied(TState state, in Hypercall hypercall, in Answer answer);
}

/// <summary>For services that interrupt a running core.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface IAttention<TState>
    where TState : class
{
    /// <summary>A level: asked after every change of the state. True stops the core for an attention exit.</summary>
    /// <param name="state">The state.</param>
    /// <param name="core">A core of the machine.</param>
    /// <returns>Whether this core is wanted now.</returns>
    bool WantsAttention(TState state, Mpidr core);

    /// <summary>The core has stopped. The answer loads registers (<see cref="Effect.Load"/>) or lets it go on.</summary>
    /// <param name="state">The state.</param>
    /// <param name="stopped">The core and its registers.</param>
    /// <returns>An answer, or a new state and an answer; <see cref="Answer.NoResults"/> lets the core go on unchanged.</returns>
    Outcome<TState> Attend(TState state, AttentionExit stopped);

    /// <summary>The host could not apply the answer of <see cref="Attend"/>, or it never arrived: the guest went on as it was interrupted.</summary>
    /// <param name="state">The state now.</param>
    /// <param name="stopped">The core and its registers.</param>
    /// <param name="answer">What it never loaded.</param>
    /// <returns>The state to go on with: what was to be delivered waits again, or is counted as lost.</returns>
    TState NotApplied(TState state, AttentionExit stopped, in Answer answer);
}

/// <summary>A host's report of a core, or what its first exit says of it.</summary>
/// <param name="Core">A core of the machine.</param>
/// <param name="Change">What happened to it.</param>
/// <param name="Now">When the report arrived. The only clock a service may read: replay gives the same.</param>
public readonly record struct CoreReport(Mpidr Core, CoreChange Change, DateTimeOffset Now)
{
    /// <summary>Of a core that woke: it has lost its context and goes on at an entry point, as after a power-down state.</summary>
    public bool HasLostContext { get; init; }
}

/// <summary>What a host reports of a core.</summary>
public enum CoreChange : byte
{
    /// <summary>It runs: at an entry point, or its first exit has arrived.</summary>
    Started = 1,

    /// <summary>It has stopped running.</summary>
    Stopped = 2,

    /// <summary>A suspended core goes on.</summary>
    Woke = 3,

    /// <summary>The host could not start it.</summary>
    Refused = 4,
}

/// <summary>Kinds of reset.</summary>
public enum ResetKind : byte
{
    /// <summary>Memory and devices lose their state.</summary>
    Cold = 1,

    /// <summary>Memory is kept (DEN0022, SYSTEM_RESET2).</summary>
    Warm = 2,
}
