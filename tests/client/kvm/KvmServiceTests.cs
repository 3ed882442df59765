using Grpc.Core;
using Hypercalls.Cli.Running;
using Hypercalls.Hosts.Caller;
using Hypercalls.Kvm;
using Hypercalls.Protos;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>PSCI and SDEI of a real daemon, as guests on a real kernel's KVM meet them: the specification holds there as it does on QEMU.</summary>
[Collection(QemuMachines.Name)]
public sealed class KvmServiceTests(GuestImages guests, BootedKernels kernels) : IAsyncLifetime
{
    private const string Linux = "6.12";

    private readonly TestDaemon _daemon = new("psci", "sdei", "trials");

    public Task InitializeAsync() => _daemon.InitializeAsync();

    public async Task DisposeAsync()
    {
        await _daemon.DisposeAsync();
        Assert.Equal((0u, 0u, 0u), kernels[Linux].Leftovers());
    }

    [RealKernelFact(Linux)]
    public async Task Cores_sleep_freeze_go_off_and_the_machine_suspends_resets_and_protects_its_memory()
    {
        var run = await RunAsync("power", memory: 512);
        Assert.Equal((WhatGuestsSay.Power, 0), (run.Output, run.ExitCode));
    }

    [RealKernelFact(Linux)]
    public async Task An_event_s_handler_finds_what_the_specification_promises_and_leaves_all_as_it_was()
    {
        var run = await RunAsync("sdei");
        var once = WhatGuestsSay.SdeiByOneConduit("3c5", "ELR and SPSR untouched: yes");
        Assert.Equal(($"{once}by HVC\n{once}", 0), (run.Output, run.ExitCode));
    }

    [RealKernelFact(Linux)]
    public async Task An_event_out_of_a_32_bit_process_enters_a_handler_whose_address_is_whole()
    {
        var run = await RunAsync("sdei_compat");
        Assert.Equal(WhatGuestsSay.SdeiCompat, run.Output);
        Assert.Equal(0, run.ExitCode);
    }

    [RealKernelFact(Linux)]
    public async Task Cores_that_go_off_that_sleep_and_that_are_reset_keep_what_they_should_of_their_events()
    {
        var run = await RunAsync("sdei_power");
        Assert.Equal((WhatGuestsSay.SdeiPower, 0), (run.Output, run.ExitCode));
    }

    [RealKernelFact(Linux)]
    public async Task The_bare_caller_makes_calls_by_hand()
    {
        List<string> results = [];
        using var caller = new CallerGuest(result => results.Add($"0x{result.X[0]:x}"));
        caller.Give([Call(Conduit.Smc, 0x8400_0000), Call(Conduit.Hvc, 0x8400_0000), Call(Conduit.Smc, 0x8000_0000), Call(Conduit.Smc, 0xC400_0020)]);
        using var machine = caller.Start(
            new KvmOptions { Kernel = "", Cores = 1, MemoryMiB = 64 }, options => KvmMachine.Start((KvmOptions)options, new RemoteKernel(kernels[Linux])));
        using var terminal = new SharedTerminal(Stream.Null, isRedirected: true);
        using var guest = new Hypercalls.Cli.Running.GuestRun(_daemon.Invoker, () => machine, "caller", terminal, watches: false, showCalls: false, allowShadowed: true, new()) { TakesKeyboard = false };
        await guest.RunAsync(CancellationToken.None);
        // PSCI 1.3 of the daemon, SMCCC 1.1 of the kernel, SDEI 1.1.
        Assert.Equal(["0x10003", "0x10003", "0x10001", "0x1000100000000"], results);
        Assert.IsType<CallerEnd.Done>(caller.End);
    }

    [RealKernelFact(Linux)]
    public async Task With_Psci_in_the_kernel_a_daemon_that_has_Sdei_refuses_the_machine_and_says_why()
    {
        var refused = await Assert.ThrowsAsync<RpcException>(() => RunAsync("sdei", psci: PsciOwner.Kernel));
        Assert.Equal(
            "ready: SDEI follows CPU_SUSPEND, CPU_OFF, CPU_ON, which this machine's kernel answers unseen. Let the host forward them (run --psci daemon), or take the service away (run --without).",
            refused.Status.Detail);
    }

    private static CallerCall Call(Conduit conduit, uint function) => new(conduit, 0, [new(function, null)]);

    private Task<DaemonRun> RunAsync(string guest, int memory = 64, PsciOwner psci = PsciOwner.Daemon) =>
        DaemonRun.OfAsync(_daemon, kernels[Linux], new KvmOptions { Kernel = guests[guest], Cores = 2, MemoryMiB = memory, Psci = psci });
}
