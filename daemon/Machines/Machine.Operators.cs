using System.Collections.Concurrent;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>What operators do with a machine: they raise events at its services, and read their states.</summary>
internal sealed partial class Machine
{
    /// <summary>One reader of a service's state at a time: one that hangs in the service's code costs one thread, however often it is asked.</summary>
    private readonly ConcurrentDictionary<Service, SemaphoreSlim> _readers = [];

    /// <summary>The service of that name, whatever letters it is written in; null where there is none.</summary>
    public Service? ServiceNamed(string name) => _served.Loaded.Services.FirstOrDefault(service => service.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>An operator raises an event at a service.</summary>
    /// <exception cref="OutOfOrderException">The machine was busy, or has no such core any longer, or the service took too long: nothing was changed.</exception>
    /// <exception cref="DeposedException">The service has not come back: the machine went on without it, and nothing was changed.</exception>
    public Raised Raise(Service service, ulong @event, Mpidr? core)
    {
        var received = _clock.GetTimestamp();
        try
        {
            if (!TryTakeTurn(received))
            {
                throw new OutOfOrderException(Busy);
            }

            if (core is { } mpidr && Core(mpidr) is null)
            {
                throw new OutOfOrderException($"core: {Name} has no core {mpidr} any longer.");
            }

            var raised = Raise(service, new(@event, core, Description, _clock.GetUtcNow()));
            if (Left(received) <= TimeSpan.Zero)
            {
                var sentence = $"{service.Name} did not take the event within {_deadline.TotalMilliseconds} ms: nothing was changed.";
                Failures++;
                _faults.Report(Name, sentence);
                throw new OutOfOrderException(sentence);
            }

            if (raised.Failure is { } failure)
            {
                Fault(failure);
            }

            // Attention is told where the turn ends: a service that hangs there does not undo what is committed.
            Advance(raised.State, hasEffect: false);
            return raised.Result != RaiseResult.Refused && !IsAttached
                ? raised with { Text = $"{raised.Text} No host is attached to {Name} now: {service.Name} keeps the event until one is.".TrimStart() }
                : raised;
        }
        finally
        {
            EndTurn();
        }
    }

    /// <summary>A service's state as JSON and as tables. Out of turn: a state is a value, and how it is written is the service's code.</summary>
    /// <exception cref="OutOfOrderException">Somebody has been reading it for as long as a call may last.</exception>
    public (string Json, ValueArray<StateTable> Tables) Read(Service service)
    {
        var reader = _readers.GetOrAdd(service, _ => new(1));
        if (!reader.Wait(_deadline))
        {
            throw new OutOfOrderException($"{service.Name} has not come back from writing its state for {Name}.");
        }

        try
        {
            var (services, state, machine) = InTurn(() => (_served.Services, _state, Description));
            var tables = services.Tables(state, service, machine, out var failure);
            if (failure is not null)
            {
                _faults.Report(Name, failure);
                tables = [new("Tables", ["failed"], [[failure.ToString()]])];
            }

            return (services.Save(state, service), tables);
        }
        finally
        {
            reader.Release();
        }
    }

    private Raised Raise(Service service, RaisedEvent raised)
    {
        _turn.EnterService();
        var became = _served.Services.Raise(_state, service, raised, _running);
        LeaveService();
        return _served.Services.TakesPart(service) ? became : became with { Text = $"{became.Text} `hypercalls machines` says why." };
    }
}
