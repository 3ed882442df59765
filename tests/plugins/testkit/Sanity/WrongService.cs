using Hypercalls.Sdk;

namespace Hypercalls.Tests.Testkit.Sanity;

/// <summary>A service that is wrong in one way.</summary>
internal class WrongService<TState>(FunctionTable<TState> functions) : Service<TState>
    where TState : class, new()
{
    public override string Name => "WRONG";

    public override string Version => "1.0";

    public override FunctionTable<TState> Functions => functions;
}

/// <summary>What the wrong services remember.</summary>
internal sealed record WrongState
{
    public uint Count { get; init; }

    public ValueArray<ulong> Seen { get; init; }
}

/// <summary>Declares an owner, and has a function of another.</summary>
internal sealed class OfAnotherOwner() : WrongService<WrongState>(new() { { 0x8200_0001, "WRONG_OWNER", (in _) => Answer.Success } })
{
    public override IReadOnlyList<OwnerIdentity> Owners { get; } = [new(OwningEntity.Oem, revision: new(1, 0))];
}

/// <summary>Throws when it is reset after WRONG_OPEN.</summary>
internal sealed class ThrowsAtReset() : WrongService<WrongState>(new()
{
    { 0xC300_0001, "WRONG_OPEN", (in _, state) => (state with { Count = 1 }, Answer.Success) },
    { 0xC300_0002, "WRONG_NONE", (in _) => Answer.Success },
}),
    IResets<WrongState>
{
    public WrongState Reset(WrongState state, ResetKind kind, MachineDescription machine) =>
        state.Count == 0 ? state : throw new InvalidOperationException("It is open.");
}

/// <summary>Throws when an answer is not applied.</summary>
internal sealed class ThrowsAtFallback() : WrongService<WrongState>(new() { { 0xC300_0001, "WRONG_DO", (in _) => Answer.Success, "what" } }), INotApplied<WrongState>
{
    public WrongState NotApplied(WrongState state, in Hypercall hypercall, in Answer answer) => throw new InvalidOperationException("It was done.");
}

/// <summary>Throws when an operator looks at it.</summary>
internal sealed class ThrowsWhenLookedAt() : WrongService<WrongState>(new() { { 0xC300_0001, "WRONG_DO", (in _) => Answer.Success } }), IStateTables<WrongState>
{
    public ValueArray<StateTable> Tables(WrongState state, MachineDescription machine) => [new("Table", ["one"], [["a", "b"]])];
}

/// <summary>Remembers in a field of the service.</summary>
internal sealed class RemembersBesideItsState : WrongService<WrongState>
{
    public RemembersBesideItsState()
        : this(new Counter())
    {
    }

    private RemembersBesideItsState(Counter counter)
        : base(new() { { 0xC300_0001, "WRONG_COUNT", (in _) => Answer.Value(++counter.Count) } })
    {
    }

    private sealed class Counter
    {
        public uint Count { get; set; }
    }
}

/// <summary>A state with a member that is not saved.</summary>
internal sealed class Forgets() : WrongService<ForgottenState>(new()
{
    { 0xC300_0001, "WRONG_SET", (in call, state) => (state.Secretly(call[1]), Answer.Success), "value" },
    { 0xC300_0002, "WRONG_GET", (in _, state) => Answer.Value(state.Secret) },
});

internal sealed record ForgottenState
{
    internal ulong Secret { get; init; }

    public ForgottenState Secretly(ulong secret) => this with { Secret = secret };
}

/// <summary>A state that no JSON is made of.</summary>
internal sealed class CannotBeSaved() : WrongService<UnsavedState>(new() { { 0xC300_0001, "WRONG_DO", (in _) => Answer.Success } });

internal sealed class UnsavedState
{
    public Type Type { get; init; } = typeof(string);
}

/// <summary>Blocks where a machine attaches.</summary>
internal sealed class HangsAtAttach() : WrongService<WrongState>(new() { { 0xC300_0001, "WRONG_DO", (in _) => Answer.Success } }), ICoreLifecycle<WrongState>
{
    public WrongState Attached(WrongState state, MachineDescription machine)
    {
        Blocking.For(Timeout.InfiniteTimeSpan);
        return state;
    }

    public WrongState CoreChanged(WrongState state, CoreReport report) => state;
}

/// <summary>Blocks this thread, as no service should.</summary>
internal static class Blocking
{
    public static void For(TimeSpan time)
    {
        using var never = new ManualResetEventSlim();
        never.Wait(time);
    }
}
