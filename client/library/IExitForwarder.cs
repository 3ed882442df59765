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
    /// <exception cref="MachineStopsException">There is no answer, and by the host's rules the guest must not go on without one.</exception>
    Answer? Forward(Exit exit);

    /// <summary>Registers above x5 that the daemon wants to see with a hypercall.</summary>
    /// <param name="conduit">SMC or HVC.</param>
    /// <param name="imm">Of the instruction; 0 where unknown.</param>
    /// <param name="w0">The function ID.</param>
    /// <returns>Bit n for x n, 6 to 17; 0 for most functions.</returns>
    uint Uses(Conduit conduit, uint imm, uint w0) => 0;

    /// <summary>Tells that the guest got the fallback for this exit, because no answer came or because the host could not apply it. Does not block.</summary>
    /// <param name="exit">As it was forwarded.</param>
    void GaveUp(Exit exit)
    {
    }
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
