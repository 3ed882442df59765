using System.Globalization;

namespace Hypercalls.Sdk;

/// <summary>What an answer asks of the host. A closed family: a service decides, the host does.</summary>
public abstract record Effect
{
    private Effect()
    {
    }

    /// <summary>Whether the calling core waits for a wake-up event once it is carried out.</summary>
    public bool Suspends => this is Standby or PowerDown or SystemEvent { Type: SystemEventType.Suspend };

    /// <summary>Whether the calling core has lost its context when it goes on: it starts again at an entry point.</summary>
    public bool LosesContext => this is PowerDown or SystemEvent { Type: SystemEventType.Suspend };

    /// <summary>Start a core at an entry point, in the machine's client EL and the caller's execution state (DEN0022, CPU_ON).</summary>
    /// <param name="Core">An existing core.</param>
    /// <param name="EntryPoint">As the caller gave it; bit 0 selects T32 for an AArch32 caller.</param>
    /// <param name="ContextId">Delivered in x0.</param>
    /// <param name="IfRefused">x0 of the caller where the host cannot start the core.</param>
    public sealed record PowerOn(Mpidr Core, ulong EntryPoint, ulong ContextId, long IfRefused) : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => $"power on {Core}";
    }

    /// <summary>Stop the calling core (DEN0022, CPU_OFF).</summary>
    public sealed record PowerOff : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => "power off";
    }

    /// <summary>The calling core waits for a wake-up event and goes on at the next instruction (DEN0022, CPU_SUSPEND).</summary>
    public sealed record Standby : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => "standby";
    }

    /// <summary>The calling core loses its context and starts again at an entry point (DEN0022, CPU_SUSPEND).</summary>
    /// <param name="EntryPoint">Where it wakes.</param>
    /// <param name="ContextId">Delivered in x0.</param>
    public sealed record PowerDown(ulong EntryPoint, ulong ContextId) : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"power down until 0x{EntryPoint:x}");
    }

    /// <summary>The machine as a whole: shut down, reset, suspend.</summary>
    /// <param name="Type">Which.</param>
    /// <param name="Data">
    /// At most 16 values. Shut down: flags, bit 0 for SYSTEM_OFF2. Reset: flags, bit 0 for SYSTEM_RESET2, then its type and cookie.
    /// Suspend: where the calling core, the only one that is on, starts again, and its context id.
    /// </param>
    /// <param name="ClearMemory">Overwrite RAM before the next boot (DEN0022, MEM_PROTECT).</param>
    public sealed record SystemEvent(SystemEventType Type, ValueArray<ulong> Data = default, bool ClearMemory = false) : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => Type switch
        {
            SystemEventType.Shutdown => "shut down",
            SystemEventType.Reset => "reset",
            SystemEventType.Crash => "crash",
            SystemEventType.Wakeup => "wake up",
            _ => "suspend",
        };
    }

    /// <summary>Change registers of the calling core before it goes on.</summary>
    public sealed record Load : Effect
    {
        /// <summary>General registers, x0 to x30.</summary>
        public ValueArray<RegisterValue> Registers { get; init; }

        /// <summary>Where the core goes on; unchanged where absent.</summary>
        public ulong? Pc { get; init; }

        /// <summary>Its new processor state; unchanged where absent.</summary>
        public Pstate? Pstate { get; init; }

        /// <summary>System registers.</summary>
        public ValueArray<SystemRegisterValue> System { get; init; }

        /// <inheritdoc/>
        public override string ToString() => Pc is { } pc
            ? string.Create(CultureInfo.InvariantCulture, $"go on at 0x{pc:x}")
            : "load registers";
    }

    /// <summary>
    /// Take an interrupt from the guest, where <see cref="MachineDescription.Interrupts"/> offers it; one of 16 to 31 on every core. It fires from now on
    /// whatever the guest masks, see <see cref="IInterrupts{TState}"/>. The guest gets it back with <see cref="Answer.ReturnedInterrupts"/>, and at a reset.
    /// </summary>
    /// <param name="Intid">The interrupt: 16 to 1019.</param>
    /// <param name="IfRefused">x0 of the caller where the interrupt is enabled or active. The answer counts as not applied then.</param>
    public sealed record TakeInterrupt(uint Intid, long IfRefused) : Effect
    {
        /// <inheritdoc/>
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"take interrupt {Intid}");
    }
}

/// <summary>Events of a machine as a whole, with the kernel's numbers (KVM_SYSTEM_EVENT_*).</summary>
public enum SystemEventType : byte
{
    /// <summary>KVM_SYSTEM_EVENT_SHUTDOWN.</summary>
    Shutdown = 1,

    /// <summary>KVM_SYSTEM_EVENT_RESET.</summary>
    Reset = 2,

    /// <summary>KVM_SYSTEM_EVENT_CRASH.</summary>
    Crash = 3,

    /// <summary>KVM_SYSTEM_EVENT_WAKEUP.</summary>
    Wakeup = 4,

    /// <summary>KVM_SYSTEM_EVENT_SUSPEND.</summary>
    Suspend = 5,
}

/// <summary>System registers that a host can load; ELc is the machine's client EL.</summary>
public enum SystemRegister : byte
{
    /// <summary>SP_EL0.</summary>
    SpEl0 = 1,

    /// <summary>SP_EL1.</summary>
    SpEl1 = 2,

    /// <summary>ELR_ELc.</summary>
    ElrElc = 3,

    /// <summary>SPSR_ELc.</summary>
    SpsrElc = 4,

    /// <summary>VBAR_ELc.</summary>
    VbarElc = 5,

    /// <summary>SCTLR_ELc.</summary>
    SctlrElc = 6,
}

/// <summary>A system register and its value.</summary>
/// <param name="Register">Which.</param>
/// <param name="Value">64 bits.</param>
public readonly record struct SystemRegisterValue(SystemRegister Register, ulong Value);
