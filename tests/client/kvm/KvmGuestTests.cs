using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Protos;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>The guests of tests/Guest on a real kernel's KVM: what they see of this host is what they see of the one on QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class KvmGuestTests(GuestImages guests, BootedKernels kernels) : IDisposable
{
    private const string Linux = "6.12";

    public void Dispose() => Assert.Equal((0u, 0u, 0u), kernels[Linux].Leftovers());

    [RealKernelFact(Linux)]
    public void Calls_keep_their_registers_and_carry_results_and_the_immediates_that_KVM_forwards()
    {
        var run = Run("calls", cores: 1);
        Assert.Equal(WhatGuestsSay.Calls(hasSmcImmediates: false), run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(WhatGuestsSay.RefusedAnswersToCalls, run.Log);
        var exits = run.Responder.Exits.Select(exit => exit.Exit).ToList();
        Assert.Equal(Enumerable.Range(1, exits.Count).Select(number => (1ul << 32) + (ulong)number), exits.Select(exit => exit.ExitId));
    }

    [RealKernelFact(Linux)]
    public void The_machine_is_described_before_its_guest_runs()
    {
        var run = Run("cores", cores: 3);
        Assert.Equal(WhatGuestsSay.Cores(3), run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal([0ul, 1, 2], run.Boot.Cores);
        Assert.Equal((1ul, 0x4000_0000ul, 64ul << 20, 1u), (run.Boot.Boot, run.Boot.RamBase, run.Boot.RamSize, run.Boot.ClientEl));
        Assert.Equal([Conduit.Smc, Conduit.Hvc], run.Boot.Conduits);
        Assert.Empty(run.Boot.Interrupts);
        Assert.Equal($"KVM of Linux {kernels[Linux].Release}", run.Boot.Host);
        Assert.Contains("ID_AA64PFR0_EL1", run.Boot.IdRegisters.ToDictionary().Keys);
        Assert.Equal(
            [WakeCause.Interrupt, WakeCause.Interrupt, WakeCause.Interrupt],
            run.Responder.Exits.Where(exit => exit.Exit.Wake is not null).Select(exit => exit.Exit.Wake.Cause));
        Assert.Equal("Refused 0", Assert.Single(run.Responder.Told, told => told.StartsWith("Refused", StringComparison.Ordinal)));
        Assert.Equal(((3 - 1 + 51) * 2) + 1, run.Responder.Told.Count);
    }

    [RealKernelFact(Linux)]
    public void Cores_that_sleep_are_woken_by_what_is_pending_and_find_what_they_should()
    {
        var run = Run("suspend");
        Assert.Equal(WhatGuestsSay.Suspend, run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(Enumerable.Repeat(WakeCause.Interrupt, 8), run.Responder.Exits.Where(exit => exit.Exit.Wake is not null).Select(exit => exit.Exit.Wake.Cause));
        Assert.Equal(["Started 1", "Stopped 1", "Started 1", "Stopped 1", "Started 1"], run.Responder.Told);
    }

    [RealKernelFact(Linux)]
    public void Attention_reaches_a_core_whatever_it_does()
    {
        var run = Run("attention", forgets: true);
        Assert.Equal(WhatGuestsSay.Attention, run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(WakeCause.Attention, Assert.Single(run.Responder.Exits, exit => exit.Exit.Wake is not null).Exit.Wake.Cause);
    }

    [RealKernelFact(Linux)]
    public void A_reset_puts_back_what_was_loaded_and_begins_a_boot()
    {
        // What survives lies above 256 MiB.
        var run = Run("reset", memory: 512);
        Assert.Equal(WhatGuestsSay.Reset, run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(WhatGuestsSay.ResetIsTold, run.Responder.Told);
        Assert.All(run.Responder.Exits, exit => Assert.Equal(exit.Exit.Boot, exit.Exit.ExitId >> 32));
    }

    [RealKernelFact(Linux)]
    public void A_crash_effect_ends_the_run_with_its_data()
    {
        var run = Run("crash", cores: 1);
        Assert.Equal(new MachineEnd.Failed("A service reports a crash at vCPU 0: data [0xdead]."), run.End);
    }

    [RealKernelFact(Linux)]
    public void Stop_ends_a_guest_that_would_run_for_ever()
    {
        var run = Run("resets", forgets: true, meanwhile: (machine, console) => new Thread(() =>
        {
            GuestTests.Await(console, "boot: 0x1\n");
            machine.Stop();
        })
        { IsBackground = true }.Start());
        Assert.Equal(new MachineEnd.Stopped(), run.End);
    }

    [RealKernelFact(Linux)]
    public void What_is_typed_reaches_the_guest()
    {
        var run = Run("typed", cores: 1, meanwhile: (machine, console) => new Thread(() =>
        {
            GuestTests.Await(console, "type\n");
            machine.WriteConsole("hello, guest!q"u8);
        })
        { IsBackground = true }.Start());
        Assert.Equal("type\nHELLO, GUEST!\n", run.Console);
    }

    [RealKernelFact(Linux)]
    public void AArch32_calls_have_their_immediates_and_their_conditions()
    {
        // 512 MiB: what is no RAM on QEMU, and cannot be read there, is RAM here.
        var run = Run("calls", cores: 1, memory: 512, isAArch32: true);
        var lines = run.Console.Split('\n');
        Assert.Equal(
            [
                "an immediate that cannot be known: 0x9", "A32 conditions right: 0xe0", "A32 calls made: 0x70", "T32 conditions right: 0xe0", "T32 calls made: 0x70", "32 bits of a sum of 33: 0x0",
                "NOT_SUPPORTED is -1, r1 to r3 zero: yes", "",
            ],
            lines[^8..]);
        Assert.All(lines, line => Assert.DoesNotContain(": NO", line, StringComparison.Ordinal));
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        var calls = run.Responder.Exits.Select(exit => exit.Exit.Hypercall).ToList();
        Assert.Equal(23 + 112 + 112 + 2 + 1, calls.Count);
        Assert.All(calls, call => Assert.Equal(0x13ul, call.Pstate & 0x1f));
        Assert.All(calls, call => Assert.True(call.HasImm));
    }

    [RealKernelFact(Linux)]
    public void AArch32_cores_start_in_their_callers_instruction_set_and_endianness()
    {
        var run = Run("cores", isAArch32: true);
        Assert.Equal(
            """
            A32 entry: 0x0, runs: 0x1
             r0: 0xffffffff
             CPSR: 0x1d3
             SCTLR: 0xc50078
             T32: NO
            T32 entry: 0x0, runs: 0x2
             r0: 0x77
             CPSR: 0x1d3
             SCTLR: 0xc50078
             T32: yes
            big-endian data: 0x0, runs: 0x3
             r0: 0xb16
             CPSR: 0x3d3
             SCTLR: 0xc50078
             T32: NO
            big-endian data and exceptions: 0x0, runs: 0x4
             r0: 0xb16
             CPSR: 0x3d3
             SCTLR: 0x2c50078
             T32: NO
            standby ends with the timer: 0x0
            power-down wakes at its entry with context: 0x78
            CPSR: 0x1d3
            SCTLR: 0xc50078

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(ExecutionState.Aarch32, run.Boot.ExecutionState);
    }

    private GuestRun Run(string guest, int cores = 2, int memory = 64, bool isAArch32 = false, bool forgets = false, Action<IGuestMachine, Func<string>>? meanwhile = null) => GuestRun.Of(
        new KvmOptions { Kernel = isAArch32 ? guests.AArch32(guest) : guests[guest], KernelIsRaw = isAArch32, KernelIsAArch32 = isAArch32, Cores = cores, MemoryMiB = memory },
        options => KvmMachine.Start((KvmOptions)options, new RemoteKernel(kernels[Linux])),
        meanwhile,
        forgets);
}
