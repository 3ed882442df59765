using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Hosts;

/// <summary>A machine with a guest, whatever runs it: wait for its boot, run, dispose.</summary>
public interface IGuestMachine : IDisposable
{
    /// <summary>Its guest has run under another host process.</summary>
    bool IsTakenOver { get; }

    /// <summary>What the daemon knew this machine by when another process was its host; empty for none.</summary>
    ReadOnlyMemory<byte> Token { get; }

    /// <summary>Keeps what the daemon knows this machine by where the vCPUs live: before any exit is forwarded.</summary>
    void KeepToken(ReadOnlySpan<byte> token);

    /// <summary>Blocks until every vCPU has come out of reset; the guest has not run yet.</summary>
    /// <exception cref="HostException">The machine cannot run this guest.</exception>
    MachineBoot WaitForBoot();

    /// <summary>Runs the guest and blocks until the machine has ended. To be called once, after <see cref="WaitForBoot"/>.</summary>
    /// <param name="boot">As it was given.</param>
    /// <param name="nodes">What the daemon accepted the machine with.</param>
    /// <param name="forwarders">Where the exits of a core go, by its MPIDR.</param>
    /// <param name="events">Is told what happens outside of exits.</param>
    /// <exception cref="HostException">No device tree can hold the nodes.</exception>
    MachineEnd Run(MachineBoot boot, IReadOnlyList<DeviceTreeNode> nodes, Func<ulong, IExitForwarder> forwarders, IMachineEvents events);

    /// <summary>The boot and the cores with their power as they are now: what a Hello says when the machine is attached again. Changes after it are reported.</summary>
    (ulong Boot, IReadOnlyList<Core> Cores) Now();

    /// <summary>Tells whether that core is to make an attention exit; level-triggered, from any thread. A core that the machine has not is ignored.</summary>
    void AttentionWanted(ulong mpidr, bool wanted);

    /// <summary>More of the exit that this core is being served for; null when there is no such exit, register or memory.</summary>
    Supply? Supply(ulong mpidr, Need need);

    /// <summary>Bytes typed at the guest's console.</summary>
    void WriteConsole(ReadOnlySpan<byte> typed);

    /// <summary>Ends the run, from any thread.</summary>
    void Stop();
}
