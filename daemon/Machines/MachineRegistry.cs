using System.Collections.Concurrent;
using System.Security.Cryptography;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The machines of a daemon, by name and by token.</summary>
internal sealed class MachineRegistry(ServiceSet services, DaemonOptions options, IServiceFaults faults, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Machine> _byName = new(StringComparer.Ordinal);

    /// <summary>The daemon's life between losses of state: state in memory is lost with the process.</summary>
    public ulong Incarnation { get; } = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();

    public IReadOnlyCollection<Machine> All => [.. _byName.Values.OrderBy(machine => machine.Name, StringComparer.Ordinal)];

    public Machine? Find(string name) => _byName.GetValueOrDefault(name);

    public Machine? ByToken(ReadOnlySpan<byte> token)
    {
        foreach (var (_, machine) in _byName)
        {
            if (CryptographicOperations.FixedTimeEquals(machine.Token, token))
            {
                return machine;
            }
        }

        return null;
    }

    /// <summary>The machine of a Hello: a new one, or the one its token belongs to.</summary>
    /// <exception cref="OutOfOrderException">A live machine has that name and another token.</exception>
    public Machine Attach(MachineDescription description, string host, ulong boot, ReadOnlySpan<byte> token)
    {
        var machine = new Machine(services, description, host, boot, Incarnation, options.Deadline, faults, clock);
        while (!_byName.TryAdd(description.Name, machine))
        {
            if (!_byName.TryGetValue(description.Name, out var known))
            {
                continue;
            }

            if (CryptographicOperations.FixedTimeEquals(known.Token, token))
            {
                return known;
            }

            if (known.IsAttached)
            {
                throw new OutOfOrderException($"hello.machine: a live machine is named {description.Name}. Choose another name, or attach with its token.");
            }

            // Its host is gone and another machine takes the name.
            _byName.TryRemove(new(description.Name, known));
        }

        return machine;
    }

    public void Remove(Machine machine) => _byName.TryRemove(new(machine.Name, machine));

    /// <summary>A machine that exists for one call and is attached to nothing.</summary>
    public Machine Scratch(Mpidr core) => new(
        services,
        new() { Name = "scratch", Cores = [new(core, CorePower.On)], Ram = [new(0x4000_0000, 0x4000_0000)] },
        "none",
        1,
        Incarnation,
        options.Deadline,
        faults,
        clock);
}
