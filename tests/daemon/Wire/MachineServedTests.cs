using Grpc.Core;
using Hypercalls.Protos;
using static Hypercalls.Tests.Daemon.Wire.Host;

namespace Hypercalls.Tests.Daemon.Wire;

/// <summary>What a guest learns of what it is served: the architecture calls and the general queries, through a daemon with settings.</summary>
public sealed class MachineServedTests(MachineServedTests.SetDaemon set) : IClassFixture<MachineServedTests.SetDaemon>
{
    private const uint ArchFeatures = 0x8000_0001;
    private const uint SocId32 = 0x8000_0002;
    private const uint SocId64 = 0xC000_0002;
    private const ulong NotSupported = ulong.MaxValue;

    private TestDaemon Daemon => set.Daemon;

    [Fact]
    public async Task A_guest_is_told_what_its_own_machine_has()
    {
        // For SMC from AArch64: a kernel that has WORKAROUND_1 and keeps SOC_ID from everybody.
        var kernel = Kernel(
            (0x0000_0000, 0x8000_0001, Disposition.Forwarded),
            (0x8000_0002, 0x8000_0002, Disposition.Denied),
            (0x8000_0003, 0x8000_7FFF, Disposition.Forwarded),
            (0x8000_8000, 0x8000_8000, Disposition.Kernel),
            (0x8000_8001, 0xC000_0001, Disposition.Forwarded),
            (0xC000_0002, 0xC000_0002, Disposition.ClaimedButUnserved),
            (0xC000_0003, 0xFFFF_FFFF, Disposition.Forwarded));
        await using var kept = await AttachAsync(Daemon, Greeting("kept"), kernel);
        await using var free = await AttachAsync(Daemon, Greeting("free"));
        using var ofKept = await kept.OpenAsync(0);
        using var ofFree = await free.OpenAsync(0);
        ulong exit = 0;
        foreach (var (asked, here, there) in ((uint, ulong, ulong)[])
        [
            // asked      kept          free
            (0x8000_0000, 0,            0),            // SMCCC_VERSION
            (0x8000_8000, 0,            NotSupported), // SMCCC_ARCH_WORKAROUND_1
            (SocId32,     NotSupported, 0),
            (SocId64,     NotSupported, 0),
            (0x8000_3FFF, NotSupported, NotSupported), // SMCCC_ARCH_WORKAROUND_3
        ])
        {
            exit++;
            Previous? previous = exit == 1 ? null : Applied(exit - 1);
            Assert.Equal((asked, here), (asked, (await ofKept.ForwardAsync(Call(ArchFeatures, exit, previous, asked))).Values.X0));
            Assert.Equal((asked, there), (asked, (await ofFree.ForwardAsync(Call(ArchFeatures, exit, previous, asked))).Values.X0));
        }

        // The same machine by HVC, where its kernel keeps nothing.
        var hvc = Call(ArchFeatures, exit + 1, Applied(exit), SocId64);
        hvc.Hypercall.Conduit = Conduit.Hvc;
        Assert.Equal(0ul, (await ofKept.ForwardAsync(hvc)).Values.X0);

        // From AArch32 there is no SMC64.
        var aarch32 = Call(ArchFeatures, exit + 1, Applied(exit), SocId64);
        aarch32.Hypercall.Pstate = 0x1D3;
        Assert.Equal(NotSupported, (await ofFree.ForwardAsync(aarch32)).Values.X0);

        // By hand it is as the guest would see it.
        Assert.Equal("SUCCESS", (await Daemon.Hypercalls.CallAsync(new() { Machine = "kept", Id = ArchFeatures, Arguments = { 0x8000_8000 } })).ResultText);
        Assert.Equal("NOT_SUPPORTED", (await Daemon.Hypercalls.CallAsync(new() { Machine = "free", Id = ArchFeatures, Arguments = { 0x8000_8000 } })).ResultText);
    }

    [Fact]
    public async Task SOC_ID_crosses_the_wire_with_its_name_in_18_registers()
    {
        await using var host = await AttachAsync(Daemon, Greeting("soc"));
        using var vcpu = await host.OpenAsync(0);
        Assert.Equal(new Results { X0 = 0x043B_0777 }, (await vcpu.ForwardAsync(Call(SocId32, 1))).Values);
        Assert.Equal(new Results { X0 = 5 }, (await vcpu.ForwardAsync(Call(SocId64, 2, Applied(1), 1))).Values);
        Assert.Equal(new Results { X0 = unchecked((ulong)-3) }, (await vcpu.ForwardAsync(Call(SocId32, 3, Applied(2), 2))).Values);
        var name = (await vcpu.ForwardAsync(Call(SocId64, 4, Applied(3), 2))).Masked;
        Assert.Equal(0x3_FFFFu, name.Mask);
        Assert.Equal([0, BitConverter.ToUInt64("Trial So"u8), BitConverter.ToUInt64("C\0\0\0\0\0\0\0"u8), .. new ulong[15]], name.Values);
    }

    [Fact]
    public async Task General_queries_are_answered_listed_and_named()
    {
        await using var host = await AttachAsync(Daemon, Greeting("queries"));
        using var vcpu = await host.OpenAsync(0);
        using var watch = Daemon.Operator.Watch(new() { Machine = "queries" });
        await watch.ResponseHeadersAsync;
        var functions = (ulong)host.Welcome.Served.Where(range => range.Service is "PSCI").Count();
        Assert.Equal(new Results { X0 = functions }, (await vcpu.ForwardAsync(Call(0x8400_FF00, 1))).Values);
        Assert.Equal(new Results { X0 = 0x00E0_210D, X1 = 0xEB11_8443, X2 = 0x4452_7080, X3 = 0x4C5A_4E55 }, (await vcpu.ForwardAsync(Call(0x8300_FF01, 2, Applied(1)))).Values);
        Assert.Equal(new Results { X0 = 0xB66F_B428, X1 = 0xE911_C52E, X2 = 0x564B_CAA9, X3 = 0x743A_004D }, (await vcpu.ForwardAsync(Call(0x8600_FF01, 3, Applied(2)))).Values);
        Assert.Equal(new Results { X0 = 2, X1 = 7 }, (await vcpu.ForwardAsync(Call(0x8600_FF03, 4, Applied(3)))).Values);
        Assert.Equal(new Results { X0 = NotSupported }, (await vcpu.ForwardAsync(Call(0x8600_FF00, 5, Applied(4)))).Values);

        Assert.True(await watch.ResponseStream.MoveNext().Soon());
        var record = watch.ResponseStream.Current;
        Assert.Equal(("GENERAL_QUERIES", "STD_SECURE_CALL_COUNT"), (record.Service, record.Function));
        Assert.Contains(
            new ServedRange { Conduits = { Conduit.Smc, Conduit.Hvc }, First = 0x8300_FF01, Last = 0x8300_FF01, Service = "GENERAL_QUERIES" },
            host.Welcome.Served);
        var answer = await Daemon.Register.GetAsync(new() { Machine = "queries", W0 = 0x8600_FF01 });
        Assert.Equal((AnsweredBy.Service, "GENERAL_QUERIES", "VENDOR_HYP_CALL_UID"), (answer.AnsweredBy, answer.Service, answer.Function));
        Assert.Equal(AnsweredBy.Nobody, (await Daemon.Register.GetAsync(new() { W0 = 0x8400_FF02 })).AnsweredBy);
        var byHand = await Daemon.Hypercalls.CallAsync(new() { Name = "VENDOR_HYP_REVISION" });
        Assert.Equal(("GENERAL_QUERIES", "0x2"), (byHand.Service, byHand.ResultText));
    }

    private static Ready Kernel(params (uint First, uint Last, Disposition Disposition)[] ranges)
    {
        var ready = AllForwarded();
        var smc = ready.Ranges.First(range => range is { Conduit: Conduit.Smc, ExecutionState: ExecutionState.Aarch64 });
        ready.Ranges.Remove(smc);
        foreach (var (first, last, disposition) in ranges)
        {
            var range = smc.Clone();
            (range.First, range.Last, range.Disposition) = (first, last, disposition);
            ready.Ranges.Add(range);
        }

        return ready;
    }

    public sealed class SetDaemon : IAsyncLifetime
    {
        public TestDaemon Daemon { get; } = new(options => options.Set =
        [
            """SMCCC.socId={ "bank": 4, "code": "0x3B", "number": "0x777", "revision": 5, "name": "Trial SoC" }""",
            "owners.vendorHypervisor.uid=28b46fb6-2ec5-11e9-a9ca-4b564d003a74",
            "owners.vendorHypervisor.revision=2.7",
        ]);

        public Task InitializeAsync() => Daemon.InitializeAsync();

        public Task DisposeAsync() => Daemon.DisposeAsync();
    }
}
