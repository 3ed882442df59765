namespace Hypercalls.Sdk;

/// <summary>Operators: events they raise, and states they read.</summary>
public sealed partial class ServiceSet
{
    /// <summary>Of one service's state.</summary>
    public const int MostTables = 16;

    /// <summary>The services that take events from outside, of those that take part.</summary>
    public IReadOnlyList<Service> Raisable => [.. _active.Select(i => Services[i]).Where(service => service.IsRaisable)];

    /// <summary>Whether a service takes part: it is neither withheld nor left behind.</summary>
    /// <param name="service">One of <see cref="Services"/>.</param>
    /// <returns>False where it is neither called nor asked nor told.</returns>
    public bool TakesPart(Service service) => _active.Any(i => Services[i] == service);

    /// <summary>An operator raises an event at a service.</summary>
    /// <param name="state">The states.</param>
    /// <param name="service">Who is to take it.</param>
    /// <param name="raised">Which event, and where.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with and a sentence; refused, and nothing changed, where the service takes no events, takes no part, or fails.</returns>
    public Raised Raise(MachineState state, Service service, in RaisedEvent raised, RunningService? running = null)
    {
        ArgumentNullException.ThrowIfNull(service);
        var index = PlaceOf(service);
        if (!_active.Contains(index))
        {
            return new(state, RaiseResult.Refused, $"{service.Name} takes no part on {raised.Machine.Name}.", null);
        }

        running?.Enter(service, "raise", raised.Core);
        try
        {
            var (next, result, text) = service.Raise(state[index], raised);
            return result switch
            {
                RaiseResult.Refused => new(state, result, text ?? "", null),
                RaiseResult.Delivered or RaiseResult.Pending => new(Replaced(state, index, next), result, text ?? "", null),
                _ => throw new InvalidOperationException($"The service gave the result {(byte)result}, which is none."),
            };
        }
        catch (Exception e)
        {
            var failure = new ServiceFailure(service, "raise", e);
            return new(state, RaiseResult.Refused, $"Nothing was changed: {failure}", failure);
        }
    }

    /// <summary>The tables of a service's state.</summary>
    /// <param name="state">The states.</param>
    /// <param name="service">Whose.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="failure">The fault of a service that threw, or whose tables are none: more than 16, one without a title or without columns, or a row with more or fewer cells than columns.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>None where the service has none, or failed.</returns>
    public ValueArray<StateTable> Tables(MachineState state, Service service, MachineDescription machine, out ServiceFailure? failure, RunningService? running = null)
    {
        ArgumentNullException.ThrowIfNull(service);
        failure = null;
        running?.Enter(service, "tables");
        try
        {
            var tables = service.Tables(state[PlaceOf(service)], machine);
            Check(tables);
            return tables;
        }
        catch (Exception e)
        {
            failure = new(service, "tables", e);
            return [];
        }
    }

    /// <summary>The state of a service as JSON.</summary>
    /// <param name="state">The states.</param>
    /// <param name="service">Whose.</param>
    /// <returns>One JSON object.</returns>
    public string Save(MachineState state, Service service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return service.Save(state[PlaceOf(service)]);
    }

    /// <summary>A service goes on with a state that was saved.</summary>
    /// <param name="state">The states.</param>
    /// <param name="service">Whose.</param>
    /// <param name="json">As <see cref="Save"/> gave it, of this service or of an earlier version.</param>
    /// <returns>The states to go on with.</returns>
    /// <exception cref="StateException">It is no state of this service.</exception>
    public MachineState Restore(MachineState state, Service service, string json)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(service);
        return state.With(PlaceOf(service), service.Restore(json));
    }

    private int PlaceOf(Service service)
    {
        for (var i = 0; i < Services.Count; i++)
        {
            if (Services[i] == service)
            {
                return i;
            }
        }

        throw new ArgumentException($"{service.Name} is not a service of this set.", nameof(service));
    }

    private static MachineState Replaced(MachineState state, int index, object? next)
    {
        if (next is null)
        {
            throw new InvalidOperationException("The service returned no state.");
        }

        return ReferenceEquals(next, state[index]) ? state : state.With(index, next);
    }

    private static void Check(ValueArray<StateTable> tables)
    {
        if (tables.Count > MostTables)
        {
            throw new InvalidOperationException($"The service gave {tables.Count} tables; {MostTables} are the most.");
        }

        foreach (var table in tables)
        {
            if (table?.Title is null || table.Columns.Count == 0 || table.Columns.Span.Contains(null!))
            {
                throw new InvalidOperationException("The service gave a table without a title or without columns.");
            }

            for (var row = 0; row < table.Rows.Count; row++)
            {
                if (table.Rows[row].Count != table.Columns.Count || table.Rows[row].Span.Contains(null!))
                {
                    throw new InvalidOperationException($"Row {row} of {table.Title} has no cell for each of its {table.Columns.Count} columns, or more.");
                }
            }
        }
    }
}
