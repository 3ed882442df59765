namespace Hypercalls.Tests.Client.Qemu;

internal static partial class WhatGuestsSay
{
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

    /// <summary>sdei_compat.c.</summary>
    public static readonly string SdeiCompat = $"""
        register: 0x0
        enable: 0x0
        PE_UNMASK: 0x0
        CPU_ON: 0x0
        in A32
        {OutOfProcess("0x10")}
        in T32
        {OutOfProcess("0x30")}

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

    private static string OutOfProcess(string pstate) => $"""
         the handler runs at: 0x1
         once: yes
         x0 was the event, x1 its whole argument: yes
         x2 in the loop: yes
         x3: {pstate}
         PSTATE without flags: 0x3c5
         x4 to x14 as interrupted: yes
         afterwards r3 to r14 as before: yes
         which ends by its own call: yes
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
