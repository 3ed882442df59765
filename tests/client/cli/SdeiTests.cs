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

    [NeedsTheory(Qemu, Compiler)]
    [InlineData("3c5", true)]
    [InlineData("3c5", true, "--cpu", "max")]
    [InlineData("3c9", false, "--el", "2")]
    [InlineData("3c9", false, "--el", "2", "--cpu", "max")]
    public async Task A_handler_finds_what_the_specification_promises_and_leaves_all_as_it_was(string pstate, bool hasHvc, params string[] options)
    {
        var run = await RunAsync("sdei", ["--cores", "2", .. options]);
        var once = WhatGuestsSay.SdeiByOneConduit(pstate, "ELR and SPSR untouched: yes");
        Assert.Equal((hasHvc ? $"{once}by HVC\n{once}" : once, 0, ""), (Said(run), run.ExitCode, run.Errors));
    }

    [NeedsFact(Qemu, Compiler)]
    public async Task An_event_out_of_a_32_bit_process_enters_a_handler_whose_address_is_whole()
    {
        var run = await RunAsync("sdei_compat", "--cores", "2");
        Assert.Equal((WhatGuestsSay.SdeiCompat, 0, ""), (Said(run), run.ExitCode, run.Errors));
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
            (WhatGuestsSay.SdeiPower, 0, ""),
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
