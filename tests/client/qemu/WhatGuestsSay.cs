namespace Hypercalls.Tests.Client.Qemu;

/// <summary>What guests of tests/Guest print where all is right, whatever runs them.</summary>
internal static class WhatGuestsSay
{
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

    /// <summary>sdei_power.c.</summary>
    public const string SdeiPower = """
        boot: 0x1
        PE_MASK: 0x0
        STATUS: 0x0
        register: 0x0
        enable: 0x0
        a first start: PE_MASK: 0x0
        STATUS: 0x0
        COMPLETE: 0xfffffffffffffffd
        register: 0x0
        enable: 0x0
        SIGNAL: 0x0
        standby
         it sleeps: yes
        SIGNAL: 0x0
         woken by an event with: 0x0
        power-down, woken by an SGI
         it sleeps: yes
         woken with: 0x1
        SIGNAL: 0x0
         masked: the event waits: yes
        register: 0xfffffffffffffffd
        enable: 0x0
        power-down, woken by an event
         it sleeps: yes
        SIGNAL: 0x0
         woken with: 0x1
         masked: the event waits: yes
        register: 0xfffffffffffffffd
        enable: 0x0
        off in its handler, handled: 0x5
        started again: PE_MASK: 0x0
        STATUS: 0x0
        COMPLETE: 0xfffffffffffffffd
        register: 0x0
        enable: 0x0
        SIGNAL: 0x0
        an event starts no core: yes
        started with an event that waits: PE_MASK: 0x0
        STATUS: 0x0
        COMPLETE: 0xfffffffffffffffd
        register: 0x0
        enable: 0x0
        in a handler: PSCI_VERSION: 0x10003
        AFFINITY_INFO: 0x1
        PSCI_FEATURES: 0x0
        CPU_ON: 0x0
        boot: 0x2
        PE_MASK: 0x0
        STATUS: 0x0
        register: 0x0
        enable: 0x0
        handled: 0x1

        """;

    /// <summary>sdei.c by one conduit, at EL1 (0x…3c5) or EL2 (0x…3c9).</summary>
    public static string SdeiByOneConduit(string pstate, string elr) => $"""
        version: 0x1000100000000
        PE_MASK: 0x0
        PE_UNMASK: 0x0
        PE_MASK: 0x1
        STATUS: 0x0
        ENABLE: 0xfffffffffffffffd
        register: 0x0
        enable: 0x0
        REGISTER: 0xfffffffffffffffd
        STATUS: 0x3
        CONTEXT(0): 0xfffffffffffffffd
        COMPLETE: 0xfffffffffffffffd
        C&R: 0xfffffffffffffffd
        GET_INFO(0, 3): 0xfffffffffffffffe
        GET_INFO(0x7fffffff, 0): 0xfffffffffffffffe
        SIGNAL(1): 0xfffffffffffffffe
        SIGNAL to nobody: 0xfffffffffffffffe
        FEATURES(1): 0x1
        FEATURES(2): 0xfffffffffffffffe
        ROUTING_SET: 0xfffffffffffffffe
        SIGNAL to itself, masked: 0x0
        nothing happens: yes
        in the handler, CONTEXT(0): 0x0
        CONTEXT(18): 0xfffffffffffffffe
        STATUS: 0x7
        the handler has run before the next instruction: yes
        and PE_UNMASK gave: 0x0
        x0 was the event, x1 its argument: yes
        in the handler, UNREGISTER: 0xfffffffffffffffb
        STATUS: 0x4
        UNREGISTER: 0xfffffffffffffffb
        REGISTER: 0xfffffffffffffffd
        C&R to an odd address: 0xfffffffffffffffe
        SIGNAL to itself: 0x0
        the handler has run before the next instruction: yes
        STATUS: 0x0
        register: 0x0
        enable: 0x0
        UNREGISTER: 0x0
        REGISTER, relative: 0x0
        ENABLE: 0x0
        SIGNAL to itself: 0x0
        the handler has run: yes
        unmasked
        {Interrupted(pstate)}
         {elr}
        with all interrupts masked
        {Interrupted(pstate)}
         {elr}
        left by COMPLETE_AND_RESUME
        {Interrupted(pstate)}
         resumed with PSTATE: 0x{pstate}
         ELR and SPSR what was interrupted: yes
         x0 to x29 as interrupted: yes
        in the middle of a hundred calls: their results stand: yes
         and CONTEXT has them: yes
        out of WFI: yes
        out of standby, which gives: 0x0
         and the handler has run: yes
        PRIVATE_RESET: 0x0
        STATUS: 0x0
        SHARED_RESET: 0x0
        PE_MASK: 0x1

        """;

    private static string Interrupted(string pstate) => $"""
         once: yes
         x2 in the loop, x3 its state: yes
         x4 to x29 as interrupted: yes
         SP_EL0 and SP: yes
         PSTATE: 0xa0000{pstate}
         ELR, SPSR, ESR, FAR untouched: yes
         afterwards all as before: yes
        """;
}
