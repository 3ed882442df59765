using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>SDEI as a guest meets it: real guests that register handlers, a real daemon, the SDEI and PSCI services.</summary>
[Collection(QemuMachines.Name)]
public sealed partial class SdeiTests(GuestImages images) : IDisposable
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>What it prints by one conduit, at EL1 (0x…3c5) or EL2 (0x…3c9).</summary>
    private static string ByOneConduit(string pstate, string elr) => $"""
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

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("3c5", true)]
    [InlineData("3c5", true, "--cpu", "max")]
    [InlineData("3c9", false, "--el", "2")]
    [InlineData("3c9", false, "--el", "2", "--cpu", "max")]
    public async Task A_handler_finds_what_the_specification_promises_and_leaves_all_as_it_was(string pstate, bool hasHvc, params string[] options)
    {
        var run = await RunAsync("sdei", ["--cores", "2", .. options]);
        var once = ByOneConduit(pstate, "ELR and SPSR untouched: yes");
        Assert.Equal((hasHvc ? $"{once}by HVC\n{once}" : once, 0, ""), (Said(run), run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Of_ten_thousand_signals_between_four_cores_none_is_lost_and_none_doubled()
    {
        var run = await RunAsync("sdei_storm", "--cores", "4");
        var handled = string.Concat(Enumerable.Repeat("register: 0x0\nenable: 0x0\n", 4));
        Assert.Equal(($"{handled}after all pairs: 0x10\nafter the storm: 0x{16 + 10_000:x}\nwrong: 0x0\n", 0, ""), (Said(run), run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Cores_that_go_off_that_sleep_and_that_are_reset_keep_what_they_should_of_their_events()
    {
        var run = await RunAsync("sdei_power", "--cores", "2");
        Assert.Equal(
            ("""
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

            """, 0, ""),
            (Said(run), run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task Below_a_guest_at_EL2_there_is_no_SDEI_but_events_interrupt_it()
    {
        var run = await RunAsync("sdei_inner", "--cores", "2", "--el", "2");
        Assert.Equal(
            ("""
            version: 0x1000100000000
            PE_MASK: 0x0
            register: 0x0
            enable: 0x0
            the inner one ends with: 0x77
            it was interrupted in its loop: yes
            in state: 0x3c5
            by a handler in state: 0x3c9

            """, 0, ""),
            (Said(run), run.ExitCode, run.Errors));
    }

    private static string Said(Tool run) => string.Join('\n', run.Output.Split('\n').Skip(1));

    private Task<Tool> RunAsync(string guest, params string[] options) =>
        Tool.RunAsync(["run", "--kernel", images[guest], "--memory", "64", "--plugins", TestDaemon.PluginFolder(_folder, "psci", "sdei", "trials"), .. options]);
}
