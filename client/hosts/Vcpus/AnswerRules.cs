using System.Numerics;
using Hypercalls.Protos;

namespace Hypercalls.Hosts.Vcpus;

/// <summary>What an answer must be before any of it is applied.</summary>
internal static class AnswerRules
{
    /// <summary>x0 to x30.</summary>
    public const int GeneralRegisters = 31;

    private const int ResultRegisters = 18;
    private const int MostSystemEventData = 16;
    private const int SuspendData = 2;

    /// <summary>True when the answer can be applied whole; otherwise fault says, for a person, what is wrong with it.</summary>
    public static bool Allow(Answer answer, Exit exit, GuestKind guest, IGuestMemory memory, IReadOnlyList<InterruptRange> offered, out string fault)
    {
        fault = Fault(answer, exit, guest, memory, offered);
        return fault.Length == 0;
    }

    private static string Fault(Answer answer, Exit exit, GuestKind guest, IGuestMemory memory, IReadOnlyList<InterruptRange> offered)
    {
        if (answer.ExitId != exit.ExitId || answer.Boot != exit.Boot)
        {
            return $"it is for exit {answer.ExitId:x} of boot {answer.Boot}";
        }
        switch (answer.ResultsCase)
        {
            case Answer.ResultsOneofCase.None when exit.KindCase == Exit.KindOneofCase.Hypercall:
                return "results is absent";
            case Answer.ResultsOneofCase.Masked
                when answer.Masked.Mask >> ResultRegisters != 0 || BitOperations.PopCount(answer.Masked.Mask) != answer.Masked.Values.Count:
                return "results.masked is not one value for each bit of x0 to x17";
        }
        foreach (var block in answer.MemoryWrites)
        {
            if (!memory.IsGuestMemory(block.Base, (ulong)block.Data.Length))
            {
                return $"memory_writes has {block.Data.Length} bytes at 0x{block.Base:x}, which is not guest memory";
            }
        }
        foreach (var intid in answer.EndedInterrupts.Concat(answer.ReturnedInterrupts))
        {
            if (!Contain(offered, intid))
            {
                return $"it ends or returns interrupt {intid}, which this host does not offer";
            }
        }
        return answer.EffectCase switch
        {
            Answer.EffectOneofCase.None or Answer.EffectOneofCase.PowerOn or Answer.EffectOneofCase.PowerOff or Answer.EffectOneofCase.Suspend => "",
            Answer.EffectOneofCase.TakeInterrupt when exit.KindCase != Exit.KindOneofCase.Hypercall => "it takes an interrupt, and answers no call",
            Answer.EffectOneofCase.TakeInterrupt => Contain(offered, answer.TakeInterrupt.Intid) ? "" : $"it takes interrupt {answer.TakeInterrupt.Intid}, which this host does not offer",
            Answer.EffectOneofCase.SystemEvent => Fault(answer.SystemEvent),
            Answer.EffectOneofCase.Load => Fault(answer.Load, guest),
            _ => $"this host offers no {answer.EffectCase}",
        };
    }

    private static bool Contain(IReadOnlyList<InterruptRange> offered, uint intid)
    {
        foreach (var range in offered)
        {
            if (intid >= range.First && intid <= range.Last)
            {
                return true;
            }
        }
        return false;
    }

    private static string Fault(SystemEvent effect) =>
        effect.Type is not (SystemEventType.Shutdown or SystemEventType.Reset or SystemEventType.Crash or SystemEventType.Suspend)
            ? $"this host offers no system_event.type {effect.Type}"
        : effect.Data.Count > MostSystemEventData ? "system_event.data is too long"
        : effect.Type == SystemEventType.Suspend && effect.Data.Count != SuspendData ? "system_event.data of a suspend is not entry point and context ID"
        : "";

    /// <summary>What a person is told of an answer that starts a core which is not there; the guest is told that it was refused.</summary>
    public static string NoSuchCore(int vcpu, ulong core) => $"vCPU {vcpu}: an answer starts core 0x{core:x}, which this machine does not have: refused. Look at the service that gave it.";

    private static string Fault(Load load, GuestKind guest)
    {
        foreach (var register in load.Registers)
        {
            if (register.Index >= GeneralRegisters)
            {
                return $"load.registers has x{register.Index}";
            }
        }
        foreach (var register in load.System)
        {
            if (register.Register is < SystemRegister.SpEl0 or > SystemRegister.SctlrElc)
            {
                return $"load.system has register {register.Register}";
            }
        }
        return load.HasPstate && !guest.CanBeIn(load.Pstate) ? $"load.pstate 0x{load.Pstate:x} is no state of {guest}" : "";
    }
}
