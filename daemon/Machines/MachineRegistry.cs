using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The machines of a daemon, by name and by token.</summary>
internal sealed class MachineRegistry(ServiceSet services, DaemonOptions options, IServiceFaults faults, TimeProvider clock)
{
    private readonly Lock _attaching = new();
    private readonly ConcurrentDictionary<string, Machine> _byName = new(StringComparer.Ordinal);

    /// <summary>The daemon's life between losses of state: state in memory is lost with the process.</summary>
    public ulong Incarnation { get; } = (ulong)clock.GetUtcNow().ToUnixTimeMilliseconds();

    public IReadOnlyCollection<Machine> All => [.. _byName.Values.OrderBy(machine => machine.Name, StringComparer.Ordinal)];

    /// <summary>By its name, where there is one.</summary>
    /// <exception cref="ForbiddenException">Machines of this name are not for this peer, whether there is one or not.</exception>
    public Machine? Find(string name, Peer peer)
    {
        peer.CheckReach(name);
        return Find(name);
    }

    /// <summary>Those that a peer may reach.</summary>
    public IEnumerable<Machine> ReachedBy(Peer peer) => All.Where(machine => peer.MayReach(machine.Name));

    /// <exception cref="ForbiddenException">Another peer was given this token.</exception>
    public Machine? ByToken(ReadOnlySpan<byte> token, string field, Peer peer)
    {
        var machine = ByToken(token);
        return machine is null || machine.Owner == peer
            ? machine
            : throw new ForbiddenException($"{field}: {peer} presents a token that was given to somebody else.");
    }

    /// <summary>The machine of a Hello, attached: a new one, or the one its token belongs to.</summary>
    /// <exception cref="OutOfOrderException">A live machine has that name and another token.</exception>
    /// <exception cref="ForbiddenException">The name is not the peer's to give, or the token another's.</exception>
    public (Machine Machine, ChannelReader<ToHost> ToHost) Attach(MachineDescription description, string host, ulong boot, ReadOnlySpan<byte> token, Peer peer)
    {
        peer.CheckAttach(description.Name);
        _ = ByToken(token, "hello.token", peer);
        Machine? known;
        lock (_attaching)
        {
            known = Find(description.Name);
            if (known is null || !CryptographicOperations.FixedTimeEquals(known.Token, token))
            {
                if (known is { IsAttached: true })
                {
                    throw new OutOfOrderException($"hello.machine: a live machine is named {description.Name}. Choose another name, or attach with its token.");
                }

                // The host of a known one is gone, and another machine takes the name.
                var machine = new Machine(services, description, peer, host, boot, Incarnation, options.Deadline, faults, clock);
                var toHost = machine.Attach(description, host, boot);
                _byName[description.Name] = machine;
                return (machine, toHost);
            }

            known.Touch();
        }

        // Outside: taking over waits for the machine's own lock.
        return (known, known.Attach(description, host, boot));
    }

    /// <summary>Forgets machines whose host has been gone for too long.</summary>
    public IReadOnlyList<Machine> Forget(TimeSpan keepLost)
    {
        lock (_attaching)
        {
            Machine[] lost = [.. _byName.Values.Where(machine => !machine.IsAttached && clock.GetElapsedTime(machine.Since) > keepLost)];
            foreach (var machine in lost)
            {
                Remove(machine);
            }

            return lost;
        }
    }

    public void Remove(Machine machine) => _byName.TryRemove(new(machine.Name, machine));

    /// <summary>A machine that exists for one call and is attached to nothing.</summary>
    public Machine Scratch(Mpidr core) => new(
        services,
        new() { Name = "scratch", Cores = [new(core, CorePower.On)], Ram = [new(0x4000_0000, 0x4000_0000)] },
        new Peer.Loopback(),
        "none",
        1,
        Incarnation,
        options.Deadline,
        faults,
        clock);

    private Machine? Find(string name) => _byName.GetValueOrDefault(name);

    private Machine? ByToken(ReadOnlySpan<byte> token)
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
}
