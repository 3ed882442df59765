using Hypercalls.Hosts;
using Hypercalls.Protos;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Bare-metal AArch32 guests at EL1 on a real QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class AArch32Tests(GuestImages images, ITestOutputHelper output)
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "arm-linux-gnueabihf-gcc";

    [NeedsFact(Qemu, Compiler)]
    public void Calls_of_both_instruction_sets_keep_their_registers_and_carry_immediates_and_results()
    {
        var run = Run("calls", cores: 1);
        Assert.Equal(
            """
            r0: 0x0
            r1: 0xffffffff
            r2 is the device tree: yes
            mode and masks: 0x1d3
            A32 smc keeps r4 to r14 and the banked registers: yes
            A32 smc gets r0 to r3: yes
            A32 hvc keeps r4 to r14 and the banked registers: yes
            A32 hvc gets r0 to r3: yes
            T32 smc keeps r4 to r14 and the banked registers: yes
            T32 smc gets r0 to r3: yes
            T32 hvc keeps r4 to r14 and the banked registers: yes
            T32 hvc gets r0 to r3: yes
            A32 smc #0 arrives as conduit 0x1, immediate: 0x0
            A32 smc #1 arrives as conduit 0x1, immediate: 0x1
            A32 smc #15 arrives as conduit 0x1, immediate: 0xf
            A32 hvc #0 arrives as conduit 0x2, immediate: 0x0
            A32 hvc #1 arrives as conduit 0x2, immediate: 0x1
            A32 hvc #0xe200 arrives as conduit 0x2, immediate: 0xe200
            A32 hvc #0xffff arrives as conduit 0x2, immediate: 0xffff
            T32 smc #0 arrives as conduit 0x1, immediate: 0x0
            T32 smc #1 arrives as conduit 0x1, immediate: 0x1
            T32 smc #15 arrives as conduit 0x1, immediate: 0xf
            T32 hvc #0 arrives as conduit 0x2, immediate: 0x0
            T32 hvc #1 arrives as conduit 0x2, immediate: 0x1
            T32 hvc #0xe200 arrives as conduit 0x2, immediate: 0xe200
            T32 hvc #0xffff arrives as conduit 0x2, immediate: 0xffff
            T32 smc #7 across two pages: 0x7
            A32 smc #9 by the MMU: 0x9
            T32 smc #7 by the MMU: 0x7
            and across two pages: 0x7
            an immediate that cannot be known: 0xffffffff
            A32 conditions right: 0xe0
            A32 calls made: 0x70
            T32 conditions right: 0xe0
            T32 calls made: 0x70
            32 bits of a sum of 33: 0x0
            NOT_SUPPORTED is -1, r1 to r3 zero: yes

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        var calls = run.Responder.Exits.Select(exit => exit.Exit.Hypercall).ToList();
        // 23 probes and immediates, of 14 conditions against 16 states of NZCV the half that holds in each instruction set, two results, SYSTEM_OFF.
        Assert.Equal(23 + 112 + 112 + 2 + 1, calls.Count);
        Assert.All(calls, call => Assert.Equal(0x13ul, call.Pstate & 0x1f));
        Assert.All(calls, call => Assert.True(new[] { call.X0, call.X1, call.X2, call.X3, call.X4, call.X5, call.Pc }.All(x => x <= uint.MaxValue)));
        Assert.Single(calls, call => !call.HasImm);
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("cortex-a57", true)]
    [InlineData("cortex-a57,has_el2=off", false)]
    [InlineData("max", true)]
    public void Cores_start_in_their_caller_s_instruction_set_and_endianness(string cpu, bool hvc)
    {
        var run = Run("cores", cpu);
        if (!hvc)
        {
            // There HVC is undefined: the guest learns it from its second start.
            Assert.StartsWith("A32 entry: 0x0, runs: 0x1\n r0: 0xffffffff\n CPSR: 0x1d3\n SCTLR: 0xc50838\n", run.Console, StringComparison.Ordinal);
            Assert.Contains("EXCEPTION: 0x1\n", run.Console, StringComparison.Ordinal);
            Assert.Equal([Conduit.Smc], run.Boot.Conduits);
            return;
        }
        Assert.Equal(
            """
            A32 entry: 0x0, runs: 0x1
             r0: 0xffffffff
             CPSR: 0x1d3
             SCTLR: 0xc50838
             T32: NO
            T32 entry: 0x0, runs: 0x2
             r0: 0x77
             CPSR: 0x1d3
             SCTLR: 0xc50838
             T32: yes
            big-endian data: 0x0, runs: 0x3
             r0: 0xb16
             CPSR: 0x3d3
             SCTLR: 0xc50838
             T32: NO
            big-endian data and exceptions: 0x0, runs: 0x4
             r0: 0xb16
             CPSR: 0x3d3
             SCTLR: 0x2c50838
             T32: NO
            standby ends with the timer: 0x0
            power-down wakes at its entry with context: 0x78
            CPSR: 0x1d3
            SCTLR: 0xc50838

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal([Conduit.Smc, Conduit.Hvc], run.Boot.Conduits);
        Assert.Equal((1u, ExecutionState.Aarch32), (run.Boot.ClientEl, run.Boot.ExecutionState));
    }

    [NeedsFact(Qemu, Compiler)]
    public void Attention_reaches_a_core_whatever_it_does()
    {
        var run = Run("attention", forgets: true);
        Assert.Equal(
            WhatGuestsSay.AArch32Attention,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        var interrupted = run.Responder.Exits.Where(exit => exit.Exit.Attention is not null).Select(exit => exit.Exit.Attention.Registers).ToList();
        Assert.All(interrupted, registers => Assert.Equal(0x13ul, registers.Pstate & 0x1f));
        Assert.All(interrupted, registers => Assert.All(registers.X.Append(registers.Pc), x => Assert.True(x <= uint.MaxValue)));
        var inBlocks = interrupted.Count(registers => (registers.Pstate & 0x0600_fc00) != 0);
        output.WriteLine($"{interrupted.Count} attention exits, {inBlocks} of them in IT blocks");
        Assert.True(inBlocks > 0);
    }

    private GuestRun Run(string guest, string cpu = "cortex-a57", int cores = 2, bool forgets = false) =>
        GuestRun.Of(new() { Kernel = images.AArch32(guest), KernelIsRaw = true, KernelIsAArch32 = true, Cpu = cpu, Cores = cores }, forgets: forgets);
}
