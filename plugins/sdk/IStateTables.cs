namespace Hypercalls.Sdk;

/// <summary>For services that show their state to people as tables, beside its JSON.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
public interface IStateTables<TState>
    where TState : class
{
    /// <summary>The state in the specification's words.</summary>
    /// <param name="state">The state.</param>
    /// <param name="machine">The machine.</param>
    /// <returns>At most 16 tables of 65,536 rows.</returns>
    ValueArray<StateTable> Tables(TState state, MachineDescription machine);
}

/// <summary>A table for people.</summary>
/// <param name="Title">A word or two: "Events".</param>
/// <param name="Columns">The heads of the columns.</param>
/// <param name="Rows">Each with one cell for each column.</param>
public sealed record StateTable(string Title, ValueArray<string> Columns, ValueArray<ValueArray<string>> Rows);
