using Hypercalls.Protos.Tls;

namespace Hypercalls.Daemon.Machines;

/// <summary>Who is at the other end of a connection, and which machines that one may attach and reach. Known before the first byte of a call.</summary>
internal abstract record Peer
{
    private Peer()
    {
    }

    /// <summary>Whether machines of this name are its own to attach.</summary>
    public virtual bool MayAttach(string machine) => true;

    /// <summary>Whether it may look at a machine of this name, and call on it.</summary>
    public virtual bool MayReach(string machine) => true;

    /// <exception cref="ForbiddenException">It may not attach a machine of this name.</exception>
    public void CheckAttach(string machine)
    {
        if (!MayAttach(machine))
        {
            throw new ForbiddenException($"hello.machine: {this} may not attach {machine}: {Rule}.");
        }
    }

    /// <exception cref="ForbiddenException">It may not reach a machine of this name.</exception>
    public void CheckReach(string machine)
    {
        if (!MayReach(machine))
        {
            throw new ForbiddenException($"machine: {this} may not reach {machine}: {Rule}.");
        }
    }

    private protected virtual string Rule => "";

    /// <summary>A process of this machine, by the local socket: the daemon's own user, or root.</summary>
    public sealed record User(uint Id) : Peer
    {
        public override string ToString() => $"user {Id}";
    }

    /// <summary>Any process of this machine, over TCP in clear text.</summary>
    public sealed record Loopback : Peer
    {
        public override string ToString() => "a process of this machine";
    }

    /// <summary>The holder of a certificate.</summary>
    public sealed record Remote(Party Party) : Peer
    {
        private protected override string Rule => Party.Role == Role.Host
            ? $"its certificate is good for the machines {Party.Name} and {Party.Name}{Party.Separator}… alone"
            : "an operator's certificate attaches no machines; `hypercalls cert host NAME` makes one that does";

        public override bool MayAttach(string machine) => Party.Role == Role.Host && Party.Owns(machine);

        public override bool MayReach(string machine) => Party.Role == Role.Operator || Party.Owns(machine);

        public override string ToString() => Party.ToString();
    }
}

/// <summary>What a peer may not do, as a sentence.</summary>
internal sealed class ForbiddenException(string message) : Exception(message);
