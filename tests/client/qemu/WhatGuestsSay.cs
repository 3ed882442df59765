namespace Hypercalls.Tests.Client.Qemu;

/// <summary>What guests of tests/Guest print where all is right, whatever runs them.</summary>
internal static partial class WhatGuestsSay
{
    /// <summary>calls.c. KVM forwards no SMC with an immediate: its own refusal leaves the guest with what it had in x1 and x2.</summary>
    public static string Calls(bool hasSmcImmediates)
    {
        return $"""
            exception level: 0x1
            smc keeps x4 to x30: yes
            smc keeps SP_EL0 and SP_EL1: yes
            smc gets x0 to x3: yes
            hvc keeps x4 to x30: yes
            hvc keeps SP_EL0 and SP_EL1: yes
            hvc gets x0 to x3: yes
            smc #0 arrives as conduit 1, immediate: 0x0
            smc #1 arrives as {Immediate("0x1")}
            smc #0xe200 arrives as {Immediate("0xe200")}
            smc #0xe208 arrives as {Immediate("0xe208")}
            smc #0xffff arrives as {Immediate("0xffff")}
            hvc #0 arrives as conduit 2, immediate: 0x0
            hvc #1 arrives as conduit 2, immediate: 0x1
            hvc #0xe200 arrives as conduit 2, immediate: 0xe200
            hvc #0xffff arrives as conduit 2, immediate: 0xffff
            masked results: yes
            memory write: 0x0
            memory holds: 0x102030405060708
            supplied x30 is this code: yes
            supplied memory: 0x102030405060708
            system load: 0x0
            SP_EL0: 0x5150
            ELR_EL1: 0xe1
            SPSR_EL1: 0x3c4
            slow answer: 0x12c
            silence falls back: yes
            the next exit says of it: 0x2
            an answer into the mailboxes falls back: yes
            the next exit says of it: 0x2
            an answer above EL1 falls back: yes
            the next exit says of it: 0x2

            """;

        string Immediate(string immediate) => hasSmcImmediates ? $"conduit 1, immediate: {immediate}" : "conduit 0, immediate: 0x1";
    }

    /// <summary>What the host says of the answers to calls.c that it cannot apply.</summary>
    public static readonly string[] RefusedAnswersToCalls =
    [
        "vCPU 0: an answer is refused: memory_writes has 1 bytes at 0x5fe00000, which is not guest memory.",
        "vCPU 0: an answer is refused: load.pstate 0x3cd is no state of a guest at EL1.",
    ];

    /// <summary>cores.c, on so many of them.</summary>
    public static string Cores(int cores) => $"""
        cores: 0x{cores:x}
        all started: yes
        each ran once, EL1h, masked, MMU off, with its context: yes
        CPU_ON of the caller: 0xfffffffffffffffc
        CPU_ON of no core: 0xfffffffffffffffe
        a power-on that the host refuses: 0xfffffffffffffffa
        and of no core: 0xfffffffffffffffa
        50 times on and off: yes
        100 answers while another core waits for one: yes
        standby ends with the timer: yes
        standby ends at once when an interrupt is pending: yes
        power-down wakes at its entry with context: 0x77
        EL1h, masked, MMU off: yes

        """;

    /// <summary>attention.c.</summary>
    public const string Attention = """
        into a loop with DAIF masked: yes
        out of WFI: yes
        before the next instruction, a call gives: 0x7
        and the handler has run: yes
        wanted during a call, it gives: 0x14
        and the handler has run: yes
        out of standby, which gives: 0x0
        and the handler has run: yes
        a storm of 500 into a loop: yes
        a storm of 2500 under HVC: yes
        and each HVC has its answer: yes
        a storm of 500 at another core: yes
        two storms at once: yes
        withdrawn 300 times, then wanted: yes
        the guest goes on while nobody answers, and then it comes: yes
        attention at a core that is off disturbs nobody: 0x32

        """;

    /// <summary>suspend.c.</summary>
    public const string Suspend = """
        standby ends with the timer, masked as it is: yes
        with another core's SGI: yes
        and not with doorbells: yes
        standby keeps every register: yes
        and wakes at once when an interrupt is pending: yes
        though nobody answers the wake exit: yes
        of which the next one tells: 0x2
        power-down ends at its entry: yes
        EL1h, masked, MMU and caches off: yes
        by its interrupt: yes
        power-down with an interrupt pending ends at its entry: yes
        EL1h, masked, MMU and caches off: yes
        by its interrupt: yes
        system suspend ends at its entry: yes
        EL1h, masked, MMU and caches off: yes
        by its interrupt: yes
        an SGI does not start a core that is off: yes
        CPU_ON does: 0x0
        with its context: 0x2
        and the SGI has waited: yes

        """;

    /// <summary>power.c.</summary>
    public const string Power = """
        boot: 0x1
        survivor: 0x0
        standby: AFFINITY_INFO: 0x0
        CPU_ON: 0xfffffffffffffffc
        it sleeps on: yes
        an SGI wakes it with: 0x0
        NODE_HW_STATE: 0x0
        power-down: AFFINITY_INFO: 0x0
        CPU_ON: 0xfffffffffffffffc
        it sleeps on: yes
        an SGI wakes it with: 0x1
        NODE_HW_STATE: 0x0
        frozen ignores an SGI: yes
        CPU_ON: 0x0
        AFFINITY_INFO: 0x0
        off ignores an SGI: yes
        CPU_ON: 0x0
        AFFINITY_INFO: 0x0
        SYSTEM_SUSPEND beside another core: 0xfffffffffffffffd
        SYSTEM_SUSPEND alone: 0x1
        wakes with the timer, EL1h, masked, MMU off: yes
        MEM_PROTECT was: 0x0
        boot: 0x2
        survivor: 0x1
        MEM_PROTECT was: 0x1
        boot: 0x3
        survivor: 0x0
        MEM_PROTECT was: 0x0

        """;

    /// <summary>AArch32/attention.c.</summary>
    public const string AArch32Attention = """
        into a loop with everything masked: yes
        out of WFI: yes
        a storm of 300 into IT blocks: yes
        a storm of 1000 under HVC: yes
        and each HVC has its answer: yes
        a storm of 300 at another core: yes

        """;

    /// <summary>reset.c, five boots.</summary>
    public static string Reset { get; } = string.Concat(Enumerable.Range(1, 5).Select(boot =>
        $"boot: 0x{boot:x}\ndata is as loaded: yes\nsurvivor: 0x{(boot == 5 ? 0 : boot - 1):x}\nCPU_ON: 0x0\n"));

    /// <summary>And what its host tells of them.</summary>
    public static IReadOnlyList<string> ResetIsTold { get; } =
    [
        "Started 1", "Cold boot 2 by vCPU 0", "Started 1", "Cold boot 3 by vCPU 0", "Started 1", "Cold boot 4 by vCPU 0", "Started 1",
        "Cold boot 5 by vCPU 0", "Started 1",
    ];
}
