using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>A core of a <see cref="TestMachine"/>: calls from it, and what its host reports of it. Other ways to call are made by <c>with</c>.</summary>
public sealed record TestCore
{
    private const ulong AArch32Supervisor = 0x1D3;

    private readonly TestMachine _machine;

    internal TestCore(TestMachine machine, Mpidr mpidr)
    {
        _machine = machine;
        Mpidr = mpidr;
        Pstate = machine.Description.ClientEl == 2 ? Pstate.El2h : Pstate.El1h;
    }

    /// <summary>Its affinity.</summary>
    public Mpidr Mpidr { get; }

    /// <summary>The instruction it calls with.</summary>
    public Conduit Conduit { get; init; } = Conduit.Hvc;

    /// <summary>The immediate of that instruction.</summary>
    public ushort Immediate { get; init; }

    /// <summary>Its processor state.</summary>
    public Pstate Pstate { get; init; }

    /// <summary>What functions find that ask for system registers; those not named are 0.</summary>
    public ValueArray<SystemRegisterValue> System { get; init; }

    /// <summary>The same core, calling by SMC.</summary>
    public TestCore Smc => this with { Conduit = Conduit.Smc };

    /// <summary>The same core, calling from AArch32 Supervisor mode.</summary>
    public TestCore AArch32 => this with { Pstate = new(AArch32Supervisor) };

    /// <summary>Whether a service wants it stopped now.</summary>
    public bool WantsAttention => _machine.WantsAttention(Mpidr);

    /// <summary>Calls. A core that was not known to run is reported as started first, as the daemon does.</summary>
    /// <param name="id">The identifier, w0.</param>
    /// <param name="args">x1 upwards, at most 17; the others are 0.</param>
    /// <returns>As the guest sees it.</returns>
    /// <exception cref="ArgumentException">More than 17 arguments.</exception>
    public Answer Call(uint id, params ReadOnlySpan<ulong> args) => _machine.Serve(Hypercall(id, args), System);

    /// <summary>The host did not apply the answer of this core's last call, and gave the guest its fallback, or that of its last attention, and it went on unchanged.</summary>
    /// <exception cref="InvalidOperationException">No exit of this core is left to fall back from.</exception>
    public void FellBack() => _machine.FellBack(Mpidr);

    /// <summary>The host stopped it on request.</summary>
    /// <param name="registers">As interrupted.</param>
    /// <param name="intid">The taken interrupt that fired and stopped it; null where the daemon asked.</param>
    /// <returns>What it loads; no results where it goes on unchanged.</returns>
    public Answer Attend(RegisterFile registers, uint? intid = null) => _machine.Attend(new(Mpidr, registers, intid, default));

    /// <summary>The host reports: it runs.</summary>
    public void Started() => _machine.Reported(CoreChange.Started, Mpidr);

    /// <summary>The host reports: it has stopped running.</summary>
    public void Stopped() => _machine.Reported(CoreChange.Stopped, Mpidr);

    /// <summary>The host reports: it could not be started.</summary>
    public void Refused() => _machine.Reported(CoreChange.Refused, Mpidr);

    /// <summary>The host reports: suspended before, it goes on.</summary>
    public void Woke() => _machine.Reported(CoreChange.Woke, Mpidr);

    /// <inheritdoc/>
    public override string ToString() => $"core {Mpidr}";

    private Hypercall Hypercall(uint id, ReadOnlySpan<ulong> args)
    {
        if (args.Length >= CallRegisters.Count)
        {
            throw new ArgumentException($"A call has {CallRegisters.Count - 1} arguments at most.", nameof(args));
        }

        var registers = new CallRegisters();
        registers[0] = id;
        args.CopyTo(((Span<ulong>)registers)[1..]);
        var row = _machine.Services.Find(new(id), Conduit, Immediate, Pstate.IsAArch32)?.Function;
        return new()
        {
            Function = new(id),
            Conduit = Conduit,
            Immediate = Immediate,
            Core = Mpidr,
            Pstate = Pstate,
            Registers = registers,
            Supplied = row?.Traits.Used ?? 0,
        };
    }
}
