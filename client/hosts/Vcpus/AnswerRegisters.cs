using Hypercalls.Protos;

namespace Hypercalls.Hosts.Vcpus;

/// <summary>The part of an answer that is registers.</summary>
internal static class AnswerRegisters
{
    /// <summary>NOT_SUPPORTED: what a hypercall gets when nobody answers.</summary>
    public static void FallBack(IGuestRegisters registers) => WriteResults(ulong.MaxValue, 0, 0, 0, registers);

    public static void WriteResults(Answer answer, IGuestRegisters registers)
    {
        switch (answer.ResultsCase)
        {
            case Answer.ResultsOneofCase.Values:
                WriteResults(answer.Values.X0, answer.Values.X1, answer.Values.X2, answer.Values.X3, registers);
                break;
            case Answer.ResultsOneofCase.Masked:
                var next = 0;
                for (var n = 0; next < answer.Masked.Values.Count; n++)
                {
                    if ((answer.Masked.Mask >> n & 1) != 0)
                    {
                        registers.SetGeneral(n, answer.Masked.Values[next++]);
                    }
                }
                break;
        }
    }

    /// <summary>True when system registers are among them.</summary>
    public static bool WriteLoad(Load load, IGuestRegisters registers)
    {
        foreach (var register in load.Registers)
        {
            registers.SetGeneral((int)register.Index, register.Value);
        }
        registers.Pc = load.HasPc ? load.Pc : registers.Pc;
        registers.Pstate = load.HasPstate ? load.Pstate : registers.Pstate;
        foreach (var register in load.System)
        {
            registers.SetSystem(register.Register, register.Value);
        }
        return load.System.Count != 0;
    }

    private static void WriteResults(ulong x0, ulong x1, ulong x2, ulong x3, IGuestRegisters registers)
    {
        registers.SetGeneral(0, x0);
        registers.SetGeneral(1, x1);
        registers.SetGeneral(2, x2);
        registers.SetGeneral(3, x3);
    }
}
