using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>What operators do: they raise events, and look at tables.</summary>
public sealed partial class TestMachine
{
    /// <summary>The tables of all services that have some, service by service, asked anew each time.</summary>
    public ValueArray<StateTable> Tables
    {
        get
        {
            Begin();
            List<StateTable> all = [];
            foreach (var service in Services.Services)
            {
                all.AddRange(Services.Tables(_state, service, Description, out var failure));
                Keep(failure);
            }

            return [.. all];
        }
    }

    /// <summary>An operator raises an event.</summary>
    /// <param name="event">Which.</param>
    /// <param name="core">The place of a core in the description; null where the operator names none.</param>
    /// <param name="service">Its name; null for the only service that takes events.</param>
    /// <returns>What became of it, and what the operator reads.</returns>
    /// <exception cref="InvalidOperationException">No service has that name, or it takes no events; or none was named, and not exactly one takes events.</exception>
    public (RaiseResult Result, string Text) Raise(ulong @event, int? core = null, string? service = null)
    {
        var at = Services.Raisable.Where(candidate => service is null || candidate.Name == service).ToList() switch
        {
            [var only] => only,
            [] => throw new InvalidOperationException(service is null ? "No service takes events." : $"No service named {service} takes events."),
            var several => throw new InvalidOperationException($"Several services take events: {string.Join(", ", several.Select(candidate => candidate.Name))}. Name one."),
        };
        Begin();
        var raised = Services.Raise(_state, at, new(@event, core is { } index ? Description.Cores[index].Mpidr : null, Description, Now), Running);
        RunningService.LeaveThread();
        Keep(raised.Failure);
        _state = raised.State;
        return (raised.Result, raised.Text);
    }
}
