using System.Collections.Concurrent;
using System.Security.Cryptography;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Machines;

/// <summary>The machines of a daemon, by name and by token.</summary>
internal sealed class MachineRegistry(ServiceSet services, DaemonOptions options, IServiceFaults faults, TimeProvider clock)
{
    /// <summary>Those that wait for a lost host count too.</summary>
    public const int MostMachines = 1024;

    private readonly Lock _attaching = new();
    private readonly ConcurrentDictionary<string, Machine> _byName = new(StringComparer.Ordinal);
    /// <summary>New machines between Hello and Ready: nobody but their hosts knows them.</summary>
    private readonly ConcurrentDictionary<string, Machine> _expected = new(StringComparer.Ordinal);

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
        var machine = ByToken(_byName, token) ?? ByToken(_expected, token);
        return machine is null || machine.Owner == peer
            ? machine
            : throw new ForbiddenException($"{field}: {peer} presents a token that was given to somebody else.");
    }

    /// <summary>The machine of a Hello: the one its token belongs to, or a new one, whose name is taken from now on.</summary>
    /// <exception cref="OutOfOrderException">A live machine has that name and another token.</exception>
    /// <exception cref="ForbiddenException">The name is not the peer's to give, or the token another's.</exception>
    public Machine Expect(MachineDescription description, string host, ulong boot, ReadOnlySpan<byte> token, Peer peer)
    {
        peer.CheckAttach(description.Name);
        var isKnown = ByToken(token, "hello.token", peer) is not null;
        lock (_attaching)
        {
            var known = Find(description.Name);
            if (known is not null && CryptographicOperations.FixedTimeEquals(known.Token, token))
            {
                known.Touch();
                return known;
            }

            if (known is null && _byName.Count + _expected.Count >= MostMachines)
            {
                throw new TooManyException($"hello.machine: this daemon has {MostMachines} machines already, those included whose host was lost within {options.KeepLostSeconds} s.");
            }

            var machine = new Machine(services, description, peer, host, boot, Incarnation, options.Deadline, faults, clock);
            if (!isKnown && !token.IsEmpty)
            {
                machine.Remark("Its host brings the token of a daemon that is gone, and with it went what services knew: the cores' power is as the host says, all else begins anew.");
            }

            return known is not { IsAttached: true } && _expected.TryAdd(description.Name, machine)
                ? machine
                : throw new OutOfOrderException($"hello.machine: a live machine is named {description.Name}. Choose another name, or attach with its token.");
        }
    }

    /// <summary>Its host is ready: the machine is there for all to see, and the host before it is gone.</summary>
    /// <exception cref="OutOfOrderException">It was forgotten meanwhile, or attached by a later Hello.</exception>
    public (HostLine Line, ValueArray<DeviceTreeNode> DeviceTree) Attach(Machine machine, int greeting, MachineDescription description, string host, ulong boot, ServedMachine served)
    {
        lock (_attaching)
        {
            if (_expected.TryRemove(new(machine.Name, machine)))
            {
                // The host of another machine of that name is gone.
                _byName[machine.Name] = machine;
            }
            else if (Find(machine.Name) != machine)
            {
                throw new OutOfOrderException($"ready: {machine.Name} was forgotten meanwhile. Attach it anew.");
            }

            machine.Touch();
        }

        // Outside: taking over waits for the machine's turn.
        return machine.Attach(greeting, description, host, boot, served);
    }

    /// <summary>A host left before it was ready: a machine that is new is none.</summary>
    public void Abandon(Machine machine)
    {
        if (_expected.TryRemove(new(machine.Name, machine)))
        {
            machine.Abandon();
        }
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
    public Machine Scratch(Mpidr core)
    {
        var description = new MachineDescription { Name = "scratch", Cores = [new(core, CorePower.On)], Ram = [new(0x4000_0000, 0x4000_0000)] };
        var machine = new Machine(services, description, new Peer.Loopback(), "none", 1, Incarnation, options.Deadline, faults, clock);
        machine.Attach(machine.Greet(), description, "none", 1, machine.Served);
        return machine;
    }

    private Machine? Find(string name) => _byName.GetValueOrDefault(name);

    private static Machine? ByToken(ConcurrentDictionary<string, Machine> machines, ReadOnlySpan<byte> token)
    {
        foreach (var (_, machine) in machines)
        {
            if (CryptographicOperations.FixedTimeEquals(machine.Token, token))
            {
                return machine;
            }
        }

        return null;
    }
}
