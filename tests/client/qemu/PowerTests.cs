using System.Diagnostics;
using System.Globalization;
using Hypercalls.Hosts;
using Hypercalls.Protos;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Cores and machines that sleep, wake and are reset, as the vCPU host does it.</summary>
[Collection(QemuMachines.Name)]
public sealed class PowerTests(GuestImages images, ITestOutputHelper output)
{
    private const string Qemu = "qemu-system-aarch64";
    private const string Compiler = "aarch64-linux-gnu-gcc";

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("cortex-a57")]
    [InlineData("max")]
    public void Interrupts_wake_a_core_into_the_state_it_asked_for(string cpu)
    {
        var run = GuestRun.Of(new() { Kernel = images["suspend"], Cpu = cpu });
        Assert.Equal(
            WhatGuestsSay.Suspend,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(Enumerable.Repeat(WakeCause.Interrupt, 8), run.Responder.Exits.Where(exit => exit.Exit.Wake is not null).Select(exit => exit.Exit.Wake.Cause));
        Assert.Equal(["Started 1", "Stopped 1", "Started 1", "Stopped 1", "Started 1"], run.Responder.Told);
        Assert.Empty(run.Log);
    }

    [NeedsTheory(Qemu, Compiler)]
    [InlineData(2)]
    [InlineData(4)]
    public void No_wake_up_is_lost_in_a_thousand_rounds_under_attention(int cores)
    {
        var run = GuestRun.Of(new() { Kernel = images["wakes"], Cores = cores }, forgets: true);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        string[] lines = run.Console.Split('\n');
        Assert.Equal("wrong: 0x0", lines[0]);
        var sleeps = int.Parse(lines[1].AsSpan("sleeps: 0x".Length), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        // Each sleep ends with one wake exit.
        var causes = run.Responder.Exits.Where(exit => exit.Exit.Wake is not null).CountBy(exit => exit.Exit.Wake.Cause).ToDictionary();
        output.WriteLine($"{sleeps} sleeps, {string.Join(", ", causes)}, {run.Responder.Exits.Count(exit => exit.Exit.Attention is not null)} attention exits, {run.Log.Count} remarks");
        Assert.Equal(sleeps, causes.Values.Sum());
        Assert.InRange(sleeps, 1000 * cores, int.MaxValue);
        // Attention wakes a core first, and then has its exit before the guest's next call.
        foreach (var core in run.Responder.Exits.GroupBy(exit => exit.Mpidr, exit => exit.Exit))
        {
            Assert.All(core.Zip(core.Skip(1)).Where(pair => pair.First.Wake?.Cause == WakeCause.Attention), pair => Assert.NotNull(pair.Second.Attention));
        }
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_reset_finds_sleeping_cores_and_so_does_a_power_off()
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
        var socket = Path.Combine(folder, "qmp");
        try
        {
            var run = GuestRun.Of(
                new() { Kernel = images["sleepers"], ExtraArguments = ["-qmp", $"unix:{socket},server=on,wait=off"] },
                (_, console) => new Thread(() => GuestTests.ResetFourTimes(socket, console)) { IsBackground = true }.Start());
            Assert.Equal(new MachineEnd.PoweredOff(), run.End);
            Assert.Equal("boot: 0x1\nboot: 0x2\nboot: 0x3\nboot: 0x4\nboot: 0x5\n", run.Console);
            Assert.Equal(
                ["Started 1", "Cold boot 2 by QEMU", "Started 1", "Cold boot 3 by QEMU", "Started 1", "Cold boot 4 by QEMU", "Started 1", "Cold boot 5 by QEMU", "Started 1"],
                run.Responder.Told);
            Assert.DoesNotContain(run.Responder.Exits, exit => exit.Exit.Wake is not null);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [NeedsFact(Qemu, Compiler, "/proc/self/stat")]
    public void Cores_that_sleep_cost_nothing()
    {
        // One core that polls takes all of one processor; two of these sleep, two are off.
        const double Nothing = 0.25;
        var share = 1.0;
        var run = GuestRun.Of(
            new() { Kernel = images["sleepers"], Cores = 4 },
            (machine, console) => new Thread(() =>
            {
                GuestTests.Await(console, "boot: 0x1\n");
                // The last core may still be on its way to sleep: what counts is that there comes a second that costs nothing.
                for (var second = 0; second < 20 && share > Nothing; second++)
                {
                    var (started, used) = (Stopwatch.GetTimestamp(), CpuTimeOfQemu());
                    Thread.Sleep(1000);
                    share = (CpuTimeOfQemu() - used) / Stopwatch.GetElapsedTime(started);
                }
                machine.Stop();
            })
            { IsBackground = true }.Start());
        output.WriteLine($"{share:P1} of one processor");
        Assert.Equal(new MachineEnd.Stopped(), run.End);
        Assert.InRange(share, 0, Nothing);
    }

    [NeedsFact(Qemu, Compiler)]
    public void A_warm_reset_keeps_memory_and_one_that_clears_leaves_none()
    {
        var run = GuestRun.Of(new() { Kernel = images["warm"], Cores = 1, MemoryMiB = 64 });
        Assert.Equal(
            """
            boot: 0x1
            boot: 0x2
            words that a reset has changed: 0x0
            boot: 0x3
            words that a reset has changed: 0x0
            boot: 0x4
            words that it has left: 0x0
            boot: 0x5

            """,
            run.Console);
        Assert.Equal(new MachineEnd.PoweredOff(), run.End);
        Assert.Equal(["Warm boot 2 by vCPU 0", "Cold boot 3 by vCPU 0", "Cold boot 4 by vCPU 0", "Cold boot 5 by vCPU 0"], run.Responder.Told);
    }

    /// <summary>Of the one QEMU that is this process's child.</summary>
    private static TimeSpan CpuTimeOfQemu()
    {
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        foreach (var process in Process.GetProcessesByName("qemu-system-aarch64").Concat(Process.GetProcessesByName("qemu-system-aar")))
        {
            using (process)
            {
                // Fields behind the name: state, parent.
                var stat = File.ReadAllText($"/proc/{process.Id}/stat");
                if (stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == own)
                {
                    return process.TotalProcessorTime;
                }
            }
        }
        throw new InvalidOperationException("No QEMU runs.");
    }
}
