using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>A bare-metal guest that has EL2 to itself, on a real QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class El2Tests(GuestImages images)
{
    [NeedsTheory("qemu-system-aarch64", "aarch64-linux-gnu-gcc")]
    [InlineData("cortex-a57")]
    [InlineData("max")]
    public void A_guest_at_EL2_calls_by_SMC_and_keeps_its_HVC(string cpu)
    {
        var run = GuestRun.Of(new() { Kernel = images["el2"], Cpu = cpu, ClientEl = 2 });
        Assert.Equal(
            """
            exception level: 0x2
            with its own stack pointer, masked: yes
            HCR_EL2: 0x80000000
            smc #0xffff arrives with immediate: 0xffff
            smc #0xe208 arrives with immediate: 0xe208
            calls leave VBAR_EL2 alone: yes
            system load: 0x0
            SP_EL0: 0x5150
            ELR_EL2: 0xe1
            SPSR_EL2: 0x3c4
            EL1 has its own: yes
            a guest of this guest calls with immediate: 0x33
            and its HVC comes here with class: 0x16
            attention into a masked loop is handled at EL: 0x2
            and out of the inner guest: 0x2
            which goes on to its HVC of class: 0x16
            a storm of 500: yes
            starts with PSTATE: 0x3c9
             context: 0x77
             SCTLR_EL2: 0x30c50830
             HCR_EL2: 0x80000000
            a storm of 300 at it: yes
            starts with PSTATE: 0x3c9
             context: 0x0
             SCTLR_EL2: 0x30c50830
             HCR_EL2: 0x80000000
            an AArch32 guest of this guest calls with immediate: 0x9
            and by a stage 2 of this guest: 0x9

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal((2u, Conduit.Smc), (run.Boot.ClientEl, Assert.Single(run.Boot.Conduits)));
        var calls = run.Responder.Exits.Where(exit => exit.Exit.Hypercall is not null).Select(exit => exit.Exit.Hypercall).ToList();
        Assert.All(calls, call => Assert.Equal(Conduit.Smc, call.Conduit));
        // From EL2h all but three: the inner guest's, once in AArch64 and twice in AArch32.
        Assert.Equal([0x5ul, 0x13, 0x13], calls.Select(call => call.Pstate & 0x1f).Where(mode => mode != 0x9));
        var interrupted = run.Responder.Exits.Where(exit => exit.Exit.Attention is not null).Select(exit => exit.Exit.Attention.Registers).ToList();
        Assert.Single(interrupted, registers => (registers.Pstate & 0x1f) == 0x5);
        Assert.All(interrupted, registers => Assert.Equal(0x30c5_0830ul, registers.SctlrElc));
        Assert.All(interrupted, registers => Assert.InRange(registers.VbarElc, 0x4040_0000ul, 0x4050_0000ul));
    }
}
