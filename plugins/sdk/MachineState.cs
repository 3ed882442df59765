namespace Hypercalls.Sdk;

/// <summary>The states of all services for one machine: a value, replaced as a whole.</summary>
public sealed class MachineState
{
    private readonly object[] _states;

    internal MachineState(object[] states) => _states = states;

    /// <summary>The state of one service.</summary>
    /// <param name="service">Its place in <see cref="ServiceSet.Services"/>.</param>
    public object this[int service] => _states[service];

    internal MachineState With(int service, object state)
    {
        var states = (object[])_states.Clone();
        states[service] = state;
        return new(states);
    }
}
