using System.Text;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Wire;

/// <summary>Messages to values. Nothing that came over the wire is trusted: each fault names its field.</summary>
internal static class FromWire
{
    // PPIs and SPIs: software-generated interrupts are the guest's own, extended ranges are not served.
    private const uint FirstInterrupt = 16;
    private const uint LastInterrupt = 1019;

    /// <summary>The host replies to Need.</summary>
    public const string SupplyFeature = "supply";

    public static MachineDescription Machine(Protos.Hello hello)
    {
        Name("hello.machine", hello.Machine, mayBeEmpty: false);
        Name("hello.host", hello.Host, mayBeEmpty: true);
        Limit("hello.cores", hello.Cores.Count, Limits.Cores);
        Limit("hello.ram", hello.Ram.Count, Limits.Ranges);
        Limit("hello.id_registers", hello.IdRegisters.Count, Limits.Ranges);
        Limit("hello.interrupts", hello.Interrupts.Count, Limits.Ranges);
        if (hello.Cores.Count == 0)
        {
            throw new BadMessageException("hello.cores", "a machine has at least one core.");
        }

        if (hello.ClientEl is not (1 or 2))
        {
            throw new BadMessageException("hello.client_el", $"{hello.ClientEl} is neither 1 nor 2.");
        }

        if (hello.Boot == 0)
        {
            throw new BadMessageException("hello.boot", "boots are counted from 1.");
        }

        foreach (var range in hello.Interrupts)
        {
            if (range.Last < range.First)
            {
                throw new BadMessageException("hello.interrupts", $"{range.First} to {range.Last} runs backwards.");
            }

            if (range.First < FirstInterrupt || range.Last > LastInterrupt)
            {
                throw new BadMessageException("hello.interrupts", $"{range.First} to {range.Last} is not within {FirstInterrupt} to {LastInterrupt}.");
            }
        }

        Core[] cores = [.. hello.Cores.Select(core => new Core(Mpidr("hello.cores.mpidr", core.Mpidr), Power("hello.cores.power", core.Power)))];
        if (cores.Select(core => core.Mpidr).Distinct().Count() != cores.Length)
        {
            throw new BadMessageException("hello.cores.mpidr", "two cores have one affinity.");
        }

        return new()
        {
            Name = hello.Machine,
            Cores = ValueArray.Of<Core>(cores),
            Ram = [.. hello.Ram.Select(range => Range("hello.ram", range))],
            // A host that names none serves both.
            Conduits = hello.Conduits.Count == 0 ? [Sdk.Conduit.Smc, Sdk.Conduit.Hvc] : [.. hello.Conduits.Select(conduit => Conduit("hello.conduits", conduit)).Distinct()],
            ClientEl = (int)hello.ClientEl,
            IsAArch32 = IsAArch32OrDefault("hello.execution_state", hello.ExecutionState),
            Supplies = hello.RequiredFeatures.Contains(SupplyFeature) || hello.OptionalFeatures.Contains(SupplyFeature),
            Interrupts = [.. hello.Interrupts.Select(range => new InterruptRange(range.First, range.Last))],
            IdRegisters = [.. hello.IdRegisters.Select(register => new NamedRegister(Name("hello.id_registers.name", register.Name, mayBeEmpty: false), register.Value))],
        };
    }

    public static KernelRegisterRanges Ranges(Protos.Ready ready)
    {
        Limit("ready.ranges", ready.Ranges.Count, Limits.Ranges);
        KernelRange[] ranges = [.. ready.Ranges.Select(range => new KernelRange(
            Conduit("ready.ranges.conduit", range.Conduit),
            State("ready.ranges.execution_state", range.ExecutionState),
            Rule("ready.ranges.immediate", range.Immediate),
            range.First,
            range.Last,
            DispositionOf("ready.ranges.disposition", range.Disposition),
            Name("ready.ranges.reason", range.Reason, mayBeEmpty: true)))];
        try
        {
            return KernelRegisterRanges.FromSorted(ranges);
        }
        catch (FormatException e)
        {
            throw new BadMessageException("ready.ranges", e.Message);
        }
    }

    public static Conduit Conduit(string field, Protos.Conduit conduit) => conduit switch
    {
        Protos.Conduit.Smc => Sdk.Conduit.Smc,
        Protos.Conduit.Hvc => Sdk.Conduit.Hvc,
        _ => throw Unknown(field, (int)conduit),
    };

    public static Conduit ConduitOrSmc(string field, Protos.Conduit conduit) =>
        conduit == Protos.Conduit.Unspecified ? Sdk.Conduit.Smc : Conduit(field, conduit);

    public static bool IsAArch32OrDefault(string field, Protos.ExecutionState state) =>
        state != Protos.ExecutionState.Unspecified && State(field, state);

    public static Mpidr Mpidr(string field, ulong value) =>
        Sdk.Mpidr.TryParse(value, out var mpidr) ? mpidr : throw new BadMessageException(field, $"0x{value:x} has bits outside Aff3..Aff0 set.");

    public static ushort Immediate(string field, uint value) =>
        value <= ushort.MaxValue ? (ushort)value : throw new BadMessageException(field, $"0x{value:x} is wider than 16 bits.");

    public static CoreChange Change(Protos.CoreChange change) => change switch
    {
        Protos.CoreChange.Started => CoreChange.Started,
        Protos.CoreChange.Stopped => CoreChange.Stopped,
        Protos.CoreChange.Woke => CoreChange.Woke,
        Protos.CoreChange.Refused => CoreChange.Refused,
        _ => throw Unknown("core_state.change", (int)change),
    };

    public static ResetKind Reset(Protos.ResetKind kind) => kind switch
    {
        Protos.ResetKind.Cold => ResetKind.Cold,
        Protos.ResetKind.Warm => ResetKind.Warm,
        _ => throw Unknown("reset.kind", (int)kind),
    };

    public static PreviousExit? Previous(Protos.Previous? previous) => previous?.Outcome switch
    {
        null => null,
        Protos.Outcome.Applied => new(previous.ExitId, true, previous.ExitId),
        Protos.Outcome.FellBack => new(previous.ExitId, false, previous.LastApplied),
        _ => throw Unknown("exit.previous.outcome", (int)previous.Outcome),
    };

    public static CallRegisters Registers(Protos.HypercallExit exit, out uint supplied)
    {
        var registers = new CallRegisters();
        registers[0] = exit.X0;
        registers[1] = exit.X1;
        registers[2] = exit.X2;
        registers[3] = exit.X3;
        registers[4] = exit.X4;
        registers[5] = exit.X5;
        supplied = 0x3F;
        foreach (var register in exit.Registers)
        {
            if (register.Index is < 6 or >= CallRegisters.Count)
            {
                throw new BadMessageException("exit.hypercall.registers.index", $"{register.Index} is not 6 to 17.");
            }

            registers[(int)register.Index] = register.Value;
            supplied |= 1u << (int)register.Index;
        }

        return registers;
    }

    public static AttentionExit Attention(Protos.AttentionExit exit, Mpidr core, DateTimeOffset now)
    {
        if (exit.Reason is not (Protos.AttentionReason.Requested or Protos.AttentionReason.Interrupt))
        {
            throw Unknown("exit.attention.reason", (int)exit.Reason);
        }

        if (exit.Reason == Protos.AttentionReason.Interrupt && exit.Intid is < FirstInterrupt or > LastInterrupt)
        {
            throw new BadMessageException("exit.attention.intid", $"{exit.Intid} is not {FirstInterrupt} to {LastInterrupt}.");
        }

        if (exit.Registers is not { } file || file.X.Count != 31)
        {
            throw new BadMessageException("exit.attention.registers.x", "a register file has 31 general registers.");
        }

        return new(
            core,
            new()
            {
                X = [.. file.X],
                Pc = file.Pc,
                Pstate = new(file.Pstate),
                SpEl0 = file.SpEl0,
                SpEl1 = file.SpEl1,
                ElrElc = file.ElrElc,
                SpsrElc = file.SpsrElc,
                VbarElc = file.VbarElc,
                SctlrElc = file.SctlrElc,
            },
            exit.Reason == Protos.AttentionReason.Interrupt ? exit.Intid : null,
            now);
    }

    /// <summary>A host's reply; null where it is not all of what was asked for, and nothing else.</summary>
    public static Supply? Supply(Protos.Supply supply, Need need)
    {
        if (supply.Memory.Count != need.Memory.Count || supply.Registers.Count != need.Registers.Count || supply.System.Count != need.System.Count)
        {
            return null;
        }

        List<GuestBytes> memory = [];
        foreach (var (block, range) in supply.Memory.Zip(need.Memory))
        {
            if (block.Base != range.Base || block.Data.Length != range.Size)
            {
                return null;
            }

            memory.Add(new(range, ValueArray.Of(block.Data.Span)));
        }

        var supplied = new Supply(
            [.. memory],
            [.. supply.Registers.Select(register => new RegisterValue((int)Math.Min(register.Index, int.MaxValue), register.Value))],
            [.. supply.System.Select(register => new SystemRegisterValue((SystemRegister)(byte)Math.Clamp((int)register.Register, 0, byte.MaxValue), register.Value))]);
        return supplied.Answers(need) ? supplied : null;
    }

    public static void Wake(Protos.WakeExit exit)
    {
        if (exit.Cause is not (Protos.WakeCause.Interrupt or Protos.WakeCause.Attention))
        {
            throw Unknown("exit.wake.cause", (int)exit.Cause);
        }
    }

    /// <summary>What a host reports on its way to stopping: shown to the operator, answered with "resume unchanged".</summary>
    public static string Report(Protos.Exit exit) => exit.KindCase switch
    {
        Protos.Exit.KindOneofCase.Debug when exit.Debug.ReservedZero != 0 => throw Reserved("exit.debug.reserved_zero"),
        Protos.Exit.KindOneofCase.Debug =>
            $"debug exit, ESR 0x{exit.Debug.Esr:x}{(exit.Debug.EsrHighValid ? "" : " (bits 63:32 unknown)")}, FAR 0x{exit.Debug.Far:x}, PC 0x{exit.Debug.Pc:x}",
        Protos.Exit.KindOneofCase.SystemEvent when exit.SystemEvent.ReservedZero != 0 => throw Reserved("exit.system_event.reserved_zero"),
        Protos.Exit.KindOneofCase.SystemEvent =>
            $"system event {exit.SystemEvent.Type}, data [{Data("exit.system_event", exit.SystemEvent.Count, exit.SystemEvent.Data)}]",
        Protos.Exit.KindOneofCase.Failure when exit.Failure.ReservedZero != 0 => throw Reserved("exit.failure.reserved_zero"),
        Protos.Exit.KindOneofCase.Failure when exit.Failure.Instruction.Length > Limits.InstructionBytes =>
            throw new BadMessageException("exit.failure.instruction", $"{exit.Failure.Instruction.Length} bytes, at most {Limits.InstructionBytes}."),
        Protos.Exit.KindOneofCase.Failure =>
            $"failure exit, flags 0x{exit.Failure.Flags:x}, data [{Data("exit.failure", exit.Failure.Count, exit.Failure.Data)}], instruction {Convert.ToHexString(exit.Failure.Instruction.Span)}",
        _ => throw new BadMessageException("exit.kind", "is not set."),
    };

    public static string Name(string field, string name, bool mayBeEmpty)
    {
        if (name.Length == 0 && !mayBeEmpty)
        {
            throw new BadMessageException(field, "is empty.");
        }

        if (Encoding.UTF8.GetByteCount(name) > Limits.NameBytes)
        {
            throw new BadMessageException(field, $"is longer than {Limits.NameBytes} bytes.", isLimit: true);
        }

        // A name is shown on terminals: no control character may get there.
        return name.Any(letter => char.IsControl(letter) || char.GetUnicodeCategory(letter) == System.Globalization.UnicodeCategory.Format) ? throw new BadMessageException(field, "has control characters.") : name;
    }

    public static void Limit(string field, int count, int most)
    {
        if (count > most)
        {
            throw new BadMessageException(field, $"{count} entries, at most {most}.", isLimit: true);
        }
    }

    private static string Data(string field, uint count, Google.Protobuf.Collections.RepeatedField<ulong> data)
    {
        if (data.Count > Limits.EventData || count > data.Count)
        {
            throw new BadMessageException($"{field}.data", $"{data.Count} entries of which {count} are valid; at most {Limits.EventData}.");
        }

        return string.Join(", ", data.Take((int)count).Select(value => $"0x{value:x}"));
    }

    private static MemoryRange Range(string field, Protos.MemoryRange range) =>
        range.Size == 0 || range.Base + (range.Size - 1) < range.Base
            ? throw new BadMessageException(field, $"0x{range.Size:x} bytes at 0x{range.Base:x} are none, or pass the end of the address space.")
            : new(range.Base, range.Size);

    private static CorePower Power(string field, Protos.CorePower power) => power switch
    {
        Protos.CorePower.On => CorePower.On,
        Protos.CorePower.Off => CorePower.Off,
        Protos.CorePower.Suspended => CorePower.Suspended,
        Protos.CorePower.Unavailable => CorePower.Unavailable,
        _ => throw Unknown(field, (int)power),
    };

    private static bool State(string field, Protos.ExecutionState state) => state switch
    {
        Protos.ExecutionState.Aarch64 => false,
        Protos.ExecutionState.Aarch32 => true,
        _ => throw Unknown(field, (int)state),
    };

    private static ImmediateRule Rule(string field, Protos.ImmediateRule rule) => rule switch
    {
        Protos.ImmediateRule.Any => ImmediateRule.Any,
        Protos.ImmediateRule.Zero => ImmediateRule.Zero,
        Protos.ImmediateRule.NotZero => ImmediateRule.NotZero,
        _ => throw Unknown(field, (int)rule),
    };

    private static Disposition DispositionOf(string field, Protos.Disposition disposition) => disposition switch
    {
        Protos.Disposition.Kernel => Disposition.Kernel,
        Protos.Disposition.Forwarded => Disposition.Forwarded,
        Protos.Disposition.Denied => Disposition.Denied,
        Protos.Disposition.ClaimedButUnserved => Disposition.ClaimedButUnserved,
        Protos.Disposition.Unserved => Disposition.Unserved,
        _ => throw Unknown(field, (int)disposition),
    };

    private static BadMessageException Unknown(string field, int value) =>
        new(field, value == 0 ? "is not set." : $"{value} is no value this daemon knows.");

    private static BadMessageException Reserved(string field) => new(field, "must be zero.");
}
