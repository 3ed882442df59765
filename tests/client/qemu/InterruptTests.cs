using System.Globalization;
using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Interrupts that are taken from a bare-metal guest on a real QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class InterruptTests(GuestImages images)
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("cortex-a57", 1, 2)]
    [InlineData("cortex-a57", 1, 4)]
    [InlineData("cortex-a57,has_el2=off", 1, 2)] // SMC alone
    [InlineData("cortex-a57", 2, 2)]
    [InlineData("max", 1, 2)]
    public void Taken_interrupts_fire_whatever_the_guest_masks_until_they_are_given_back(string cpu, uint el, int cores)
    {
        var run = GuestRun.Of(new() { Kernel = images["interrupts"], Cpu = cpu, Cores = cores, ClientEl = el, Conduit = el == 2 || cpu.Contains(',', StringComparison.Ordinal) ? Conduit.Smc : Conduit.Hvc });
        Assert.Equal(
            """
            enabled here: 0xfffffffffffffffd
            enabled on another core: 0xfffffffffffffffd
            what the next call says of that: 0x2
            active: 0xfffffffffffffffd
            a shared one, enabled: 0xfffffffffffffffd
            neither: 0x0
            what the next call says of that: 0x1
            taken already: 0xfffffffffffffffd
            the guest sees nothing of it: yes
            stays asserted, fires once while active: yes
            the guest's own go on meanwhile: yes
            fires again when it ends and is asserted yet: yes
            and no more when it is not: yes
            and when it is again: yes
            into a masked loop: yes
            into WFI: yes
            into standby, before the next instruction: yes
            into power-down: yes
            around standby: yes
            during a slow call, after it: yes
            take another: 0x0
            both at once, one after the other: yes
            again and again while it is asserted: yes
            until it is not: yes
            on another core, its own: yes
            not on one that is off: yes
            but when it runs again: yes
            another core takes a shared one and goes off: 0x0

            which fires on a core that runs: yes

            and again: yes
            nobody hears, and then: yes
            each is told once: yes

            one that nobody heard on a core that went off is told on another: yes
            give back: 0x0
            it is disabled and inactive, on each core: yes
            its priority: 0xa0
            and fires no more: yes
            the guest takes it itself: 0x1b
            and it can be taken again: 0x0

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Empty(run.Log);
        // What the next exit says of each refusal was told before it, once.
        var fellBack = run.Responder.Exits.Select(exit => exit.Exit.Previous).OfType<Previous>().Where(previous => previous.Outcome == Outcome.FellBack).Select(previous => previous.ExitId).ToList();
        Assert.Equal(fellBack.Order(), run.Responder.GivenUp.Order());
        var refused = run.Responder.Exits.Where(exit => exit.Exit.Hypercall is { X0: 0xc300_0016 } && fellBack.Contains(exit.Exit.ExitId)).ToList();
        Assert.Equal(5, refused.Count);
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_shared_one_fires_once_while_its_core_goes_off()
    {
        var run = GuestRun.Of(new() { Kernel = images["homeless"] });
        Assert.Equal("\nwrong: 0x0\nbefore it went off and after: yes\n", run.Console.Replace(".", "", StringComparison.Ordinal));
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("cortex-a57", 1, 4)]
    [InlineData("cortex-a57,has_el2=off", 1, 4)]
    [InlineData("cortex-a57", 2, 2)]
    public void A_storm_of_them_loses_none_and_doubles_none(string cpu, uint el, int cores)
    {
        var run = GuestRun.Of(new() { Kernel = images["firing"], Cpu = cpu, Cores = cores, ClientEl = el, Conduit = Conduit.Smc }, forgets: true);
        var each = Enumerable.Range(0, cores).Select(core => string.Create(CultureInfo.InvariantCulture, $"core: 0x{core:x}\n fired: 0x{1500:x}\n attended: 0x{500:x}\n wrong: 0x0\n"));
        Assert.Equal($"take: 0x0\n{string.Concat(each)}", run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
    }
}
