namespace Hypercalls.Hosts.Vcpus;

/// <summary>Whether an AArch32 instruction that made an exit was to be executed at all (DDI 0487, ISS encoding for an exception from SMC instruction execution in AArch32 state).</summary>
internal static class ConditionCode
{
    private const uint ExceptionSmc32 = 0x13;
    private const uint Always = 14;

    /// <summary>False for an SMC whose condition failed: it is no call.</summary>
    public static bool Passed(ulong esr, ulong pstate)
    {
        // CCKNOWNPASS, CV and COND: an SMC that EL3 itself takes has passed, and reports zero in all of them.
        if ((esr >> 26 & 0x3f) != ExceptionSmc32 || (esr >> 19 & 1) == 0)
        {
            return true;
        }
        var condition = (esr >> 24 & 1) != 0 ? (uint)(esr >> 20) & 0xf : OfItState(pstate);
        return Holds(condition, (uint)(pstate >> 28) & 0xf);
    }

    /// <summary>A condition against N, Z, C, V in bits 3 to 0 (DDI 0487, Condition code encoding).</summary>
    public static bool Holds(uint condition, uint nzcv)
    {
        var (n, z, c, v) = ((nzcv & 8) != 0, (nzcv & 4) != 0, (nzcv & 2) != 0, (nzcv & 1) != 0);
        return condition switch
        {
            0 => z, // EQ
            1 => !z, // NE
            2 => c, // CS
            3 => !c, // CC
            4 => n, // MI
            5 => !n, // PL
            6 => v, // VS
            7 => !v, // VC
            8 => c && !z, // HI
            9 => !c || z, // LS
            10 => n == v, // GE
            11 => n != v, // LT
            12 => n == v && !z, // GT
            13 => n != v || z, // LE
            _ => true, // AL, and the unconditional instructions
        };
    }

    // IT[7:0] is PSTATE 15:10 and 26:25; IT[7:4] is the condition, unless no IT block is being executed.
    private static uint OfItState(ulong pstate)
    {
        var it = (uint)(pstate >> 8 & 0xfc) | (uint)(pstate >> 25 & 3);
        return it == 0 ? Always : it >> 4;
    }
}
