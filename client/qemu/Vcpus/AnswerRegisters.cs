using Hypercalls.Protos;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>The part of an answer that is registers, put into a copy of the exit's.</summary>
internal static class AnswerRegisters
{
    /// <summary>NOT_SUPPORTED: what a hypercall gets when nobody answers.</summary>
    public static void FallBack(GuestRegisters registers)
    {
        registers.General[..4].Clear();
        registers.General[0] = ulong.MaxValue;
    }

    public static void WriteResults(Answer answer, GuestRegisters registers)
    {
        var x = registers.General;
        switch (answer.ResultsCase)
        {
            case Answer.ResultsOneofCase.Values:
                x[0] = answer.Values.X0;
                x[1] = answer.Values.X1;
                x[2] = answer.Values.X2;
                x[3] = answer.Values.X3;
                break;
            case Answer.ResultsOneofCase.Masked:
                var next = 0;
                for (var n = 0; next < answer.Masked.Values.Count; n++)
                {
                    if ((answer.Masked.Mask >> n & 1) != 0)
                    {
                        x[n] = answer.Masked.Values[next++];
                    }
                }
                break;
        }
    }

    /// <summary>Null for a register that is none of those by name.</summary>
    public static ulong? Read(SystemRegister register, GuestRegisters registers) => register switch
    {
        SystemRegister.SpEl0 => registers.SpEl0,
        SystemRegister.SpEl1 => registers.SpEl1,
        SystemRegister.ElrElc => registers.Elr,
        SystemRegister.SpsrElc => registers.Spsr,
        SystemRegister.VbarElc => registers.Vbar,
        SystemRegister.SctlrElc => registers.Sctlr,
        _ => null,
    };

    /// <summary>True when system registers are among them.</summary>
    public static bool WriteLoad(Load load, GuestRegisters registers)
    {
        foreach (var register in load.Registers)
        {
            registers.General[(int)register.Index] = register.Value;
        }
        registers.Pc = load.HasPc ? load.Pc : registers.Pc;
        registers.Pstate = load.HasPstate ? load.Pstate : registers.Pstate;
        foreach (var register in load.System)
        {
            switch (register.Register)
            {
                case SystemRegister.SpEl0:
                    registers.SpEl0 = register.Value;
                    break;
                case SystemRegister.SpEl1:
                    registers.SpEl1 = register.Value;
                    break;
                case SystemRegister.ElrElc:
                    registers.Elr = register.Value;
                    break;
                case SystemRegister.SpsrElc:
                    registers.Spsr = register.Value;
                    break;
                case SystemRegister.VbarElc:
                    registers.Vbar = register.Value;
                    break;
                case SystemRegister.SctlrElc:
                    registers.Sctlr = register.Value;
                    break;
            }
        }
        return load.System.Count != 0;
    }
}
