using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>What a vCPU thread hands its exits to; one object for each vCPU.</summary>
public interface IExitForwarder
{
    /// <summary>
    /// Forwards one exit and blocks until there is an answer or the host's fallback is due. Called by one thread at a time; never again for an exit
    /// that it returned from.
    /// </summary>
    /// <param name="exit">The exit, with its exit_id, boot and the outcome of the answer before.</param>
    /// <returns>
    /// The daemon's answer, or null when the deadline has passed or the connection is lost. The host then falls back: a hypercall gets
    /// x0 = −1 and x1–x3 = 0, after an attention or wake exit the guest goes on unchanged.
    /// </returns>
    Answer? Forward(Exit exit);
}

/// <summary>What a vCPU host tells about its machine outside any exit. The methods do not block; they are called from vCPU threads.</summary>
public interface IMachineEvents
{
    /// <summary>The power of a core changed, after it really has.</summary>
    /// <param name="mpidr">The core: Aff3 39:32, Aff2 23:16, Aff1 15:8, Aff0 7:0.</param>
    /// <param name="change">Started, stopped, woke or refused.</param>
    /// <param name="commit">Of the effect that caused it, 0 where none did.</param>
    void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit);

    /// <summary>The machine was reset, by whatever cause: all cores but the boot core are off, and no exit of an older boot follows.</summary>
    /// <param name="boot">The boot that begins.</param>
    /// <param name="kind">Cold or warm.</param>
    /// <param name="cause">For people: who reset it.</param>
    void ResetHappened(ulong boot, ResetKind kind, string cause);
}
