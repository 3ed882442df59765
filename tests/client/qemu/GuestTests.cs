using System.Net.Sockets;
using Hypercalls.Hosts;
using Hypercalls.Protos;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Bare-metal guests on a real QEMU: what a guest prints is compared whole.</summary>
[Collection(QemuMachines.Name)]
public sealed class GuestTests(GuestImages images, ITestOutputHelper output)
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    [NeedsFact(Qemu, Compiler)]
    public void Calls_keep_their_registers_and_carry_immediates_and_results()
    {
        var run = GuestRun.Of(new() { Kernel = images["calls"], Cores = 1 });
        Assert.Equal(WhatGuestsSay.Calls(hasSmcImmediates: true), run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(WhatGuestsSay.RefusedAnswersToCalls, run.Log);
    }

    [NeedsFact(Qemu, Compiler)]
    public void Exits_are_numbered_by_boot_and_request_and_tell_of_the_answer_before()
    {
        var run = GuestRun.Of(new() { Kernel = images["calls"], Cores = 1 });
        var exits = run.Responder.Exits.Select(exit => exit.Exit).ToList();
        // The BOOT exit, number 1, is not forwarded.
        Assert.Equal(Enumerable.Range(2, exits.Count).Select(request => (1ul << 32) + (ulong)request), exits.Select(exit => exit.ExitId));
        Assert.All(exits, exit => Assert.Equal(1ul, exit.Boot));
        Assert.Null(exits[0].Previous);
        Assert.Equal(exits.Take(exits.Count - 1).Select(exit => exit.ExitId), exits.Skip(1).Select(exit => exit.Previous.ExitId));
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData(64)]
    [InlineData(5120)] // the mailboxes above 4 GiB
    public void The_machine_is_described_before_its_guest_runs(int memory)
    {
        var run = GuestRun.Of(new() { Kernel = images["cores"], Cores = 3, MemoryMiB = memory });
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        var boot = run.Boot;
        Assert.Equal([0ul, 1, 2], boot.Cores);
        Assert.Equal((1ul, 0x4000_0000ul, (ulong)(memory - 2) << 20, 1u), (boot.Boot, boot.RamBase, boot.RamSize, boot.ClientEl));
        Assert.Equal([Conduit.Smc, Conduit.Hvc], boot.Conduits);
        Assert.Equal(ExecutionState.Aarch64, boot.ExecutionState);
        Assert.Equal([(16u, 28u), (30, 31), (33, 39), (41, 287)], boot.Interrupts.Select(range => (range.First, range.Last))); // without the secure timer, the secure GPIO, the doorbell
        Assert.StartsWith("qemu-system-aarch64 ", boot.Host, StringComparison.Ordinal);
        var registers = boot.IdRegisters.ToDictionary();
        Assert.Equal(0x411f_d070ul, registers["MIDR_EL1"] & 0xffff_fff0); // Cortex-A57
        Assert.Equal(0x2222ul, registers["ID_AA64PFR0_EL1"] & 0xffff); // EL0 to EL3 in both execution states
        Assert.Equal(62_500_000ul, registers["CNTFRQ_EL0"]);
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("cortex-a57", 4)]
    [InlineData("max", 16)]
    [InlineData("cortex-a72", 2)]
    public void Cores_start_stop_and_sleep(string cpu, int cores)
    {
        var run = GuestRun.Of(new() { Kernel = images["cores"], Cpu = cpu, Cores = cores });
        Assert.Equal(
            WhatGuestsSay.Cores(cores),
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(
            [WakeCause.Interrupt, WakeCause.Interrupt, WakeCause.Interrupt],
            run.Responder.Exits.Where(exit => exit.Exit.Wake is not null).Select(exit => exit.Exit.Wake.Cause));
        Assert.Equal(Enumerable.Range(1, cores - 1).Select(n => $"{n:x}"), run.Responder.Told.Where(told => told.StartsWith("Started", StringComparison.Ordinal)).Select(told => told[8..]).Distinct().Order());
        Assert.Equal("Refused 0", Assert.Single(run.Responder.Told, told => told.StartsWith("Refused", StringComparison.Ordinal)));
        Assert.Equal(((cores - 1 + 51) * 2) + 1, run.Responder.Told.Count);
    }

    [NeedsFact(Qemu, Compiler)]
    public void Attention_reaches_a_core_whatever_it_does()
    {
        var run = GuestRun.Of(new() { Kernel = images["attention"] }, forgets: true);
        Assert.Equal(
            WhatGuestsSay.Attention,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        output.WriteLine($"{run.Responder.Exits.Count} attention exits, remarks: {string.Join(' ', run.Log)}");
        // Never the monitor's own stub: every interrupted context is the guest's, at EL1.
        Assert.All(
            run.Responder.Exits.Where(exit => exit.Exit.Attention is not null),
            exit => Assert.Equal(0x5ul, exit.Exit.Attention.Registers.Pstate & 0x1f));
        Assert.Equal(WakeCause.Attention, Assert.Single(run.Responder.Exits, exit => exit.Exit.Wake is not null).Exit.Wake.Cause);
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_reset_puts_back_what_was_loaded_and_begins_a_boot()
    {
        var run = GuestRun.Of(new() { Kernel = images["reset"] });
        Assert.Equal(WhatGuestsSay.Reset, run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(WhatGuestsSay.ResetIsTold, run.Responder.Told);
        Assert.All(run.Responder.Exits, exit => Assert.Equal(exit.Exit.Boot, exit.Exit.ExitId >> 32));
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_reset_by_QEMU_itself_begins_a_boot_too()
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
        var socket = Path.Combine(folder, "qmp");
        try
        {
            var run = GuestRun.Of(
                new() { Kernel = images["resets"], ExtraArguments = ["-qmp", $"unix:{socket},server=on,wait=off"] },
                (_, console) => new Thread(() => ResetFourTimes(socket, console)) { IsBackground = true }.Start(),
                forgets: true);
            Assert.Equal(new MachineEnd.PoweredOff(), run.End);
            Assert.DoesNotContain("WRONG", run.Console, StringComparison.Ordinal);
            Assert.EndsWith("boot: 0x5\n", run.Console, StringComparison.Ordinal);
            Assert.Equal(
                [2, 3, 4, 5],
                run.Responder.Told.Where(told => told.StartsWith("Cold", StringComparison.Ordinal)).Select(told => int.Parse(told.AsSpan(10, 1), provider: null)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [NeedsFact(Qemu, Compiler)]
    public void What_nothing_can_answer_ends_the_run_with_a_report()
    {
        var run = GuestRun.Of(new() { Kernel = images["trap"], Cores = 1 });
        Assert.Equal("before\n", run.Console);
        var report = Assert.IsType<MachineEnd.Failed>(run.End).Report;
        // EC 0x18: a trapped system register, at the instruction itself.
        Assert.Matches("^vCPU 0: an exception that this host cannot serve: reason 2, cause 0, ESR 0x62[0-9a-f]{6}, PC 0x4040[0-9a-f]{4}, PSTATE 0x[0-9a-f]*3c5", report);
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_crash_effect_ends_the_run_with_its_data()
    {
        var run = GuestRun.Of(new() { Kernel = images["crash"], Cores = 1 });
        Assert.Equal(new MachineEnd.Failed("A service reports a crash at vCPU 0: data 0xdead."), run.End);
        Assert.Equal("", run.Console);
    }

    [NeedsFact(Qemu, Compiler)]
    public void Stop_ends_a_guest_that_would_run_for_ever()
    {
        var run = GuestRun.Of(
            new() { Kernel = images["resets"] },
            (machine, _) => Task.Delay(500).ContinueWith(_ => machine.Stop(), TaskScheduler.Default),
            forgets: true);
        Assert.Equal(new MachineEnd.Stopped(), run.End);
    }

    [NeedsFact(Qemu, Compiler)]
    public void Twenty_thousand_calls_have_their_answers()
    {
        var run = GuestRun.Of(new() { Kernel = images["latency"] }, forgets: true);
        output.WriteLine(run.Console);
        Assert.Equal(6, run.Console.Split('\n').Count(line => line.Contains(": wrong 0, ", StringComparison.Ordinal)));
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
    }

    [NeedsFact(Qemu, Compiler)]
    public void Cores_in_clusters_are_found_by_their_affinity()
    {
        // Ten cores as 0.0 to 0.7, 1.0 and 1.1. That machine has no line for power-off: the console says when all is done.
        var run = GuestRun.Of(
            new() { Kernel = images["clusters"], Machine = "virt-2.6", Cores = 10 },
            (machine, console) => new Thread(() => StopAfter(machine, console, "done\n")) { IsBackground = true }.Start());
        Assert.Equal("cores: 0xa\nall ran: yes\nattention at the last: yes\ndone\n", run.Console);
        Assert.Equal([0ul, 1, 2, 3, 4, 5, 6, 7, 0x100, 0x101], run.Boot.Cores);
        Assert.Equal(new MachineEnd.Stopped(), run.End);
    }

    [NeedsFact(Qemu, Compiler)]
    public void What_is_typed_reaches_the_guest()
    {
        var run = GuestRun.Of(
            new() { Kernel = images["typed"], Cores = 1 },
            (machine, console) => new Thread(() =>
            {
                Await(console, "type\n");
                machine.WriteConsole("hello, guest!q"u8);
            })
            { IsBackground = true }.Start());
        Assert.Equal("type\nHELLO, GUEST!\n", run.Console);
    }

    private static void StopAfter(IGuestMachine machine, Func<string> console, string text)
    {
        Await(console, text);
        machine.Stop();
    }

    internal static void Await(Func<string> console, string text)
    {
        while (!console().Contains(text, StringComparison.Ordinal))
        {
            Thread.Sleep(1);
        }
    }

    internal static void ResetFourTimes(string path, Func<string> console)
    {
        using var qmp = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        qmp.Connect(new UnixDomainSocketEndPoint(path));
        qmp.Send("{\"execute\":\"qmp_capabilities\"}"u8);
        for (var boot = 1; boot <= 4; boot++)
        {
            Await(console, $"boot: 0x{boot}\n");
            // Into the midst of the guest's calls, each time elsewhere.
            Thread.Sleep(boot * 7 % 20);
            qmp.Send("{\"execute\":\"system_reset\"}"u8);
        }
        Await(console, "boot: 0x5\n");
    }
}
