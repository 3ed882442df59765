using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Daemon.Wire;

public sealed class KernelRegisterTests(TestDaemon daemon) : IClassFixture<TestDaemon>
{
    // PSCI_VERSION kept by the kernel, SDEI denied, all else forwarded: for SMC with immediate 0 from AArch64.
    private static readonly (uint First, uint Last, Disposition Disposition, string Reason)[] Kernel =
    [
        (0x0000_0000, 0x83FF_FFFF, Disposition.Forwarded, ""),
        (0x8400_0000, 0x8400_0000, Disposition.Kernel, "PSCI version register"),
        (0x8400_0001, 0xC400_001F, Disposition.Forwarded, ""),
        (0xC400_0020, 0xC400_003F, Disposition.Denied, "SMCCC filter"),
        (0xC400_0040, 0xFFFF_FFFF, Disposition.Forwarded, ""),
    ];

    [Theory]
    [InlineData(0x8400_0000, AnsweredBy.Kernel, "", "PSCI_VERSION", "PSCI version register")]
    [InlineData(0x8400_0001, AnsweredBy.Service, "PSCI", "CPU_SUSPEND", "")]
    [InlineData(0xC400_0003, AnsweredBy.Service, "PSCI", "CPU_ON", "")]
    [InlineData(0xC401_0003, AnsweredBy.Service, "PSCI", "CPU_ON", "")] // with the SVE hint
    [InlineData(0xC402_0003, AnsweredBy.Nobody, "", "", "")] // a reserved bit
    [InlineData(0xC400_0020, AnsweredBy.Denied, "", "SDEI_VERSION", "SMCCC filter")]
    [InlineData(0xC600_0040, AnsweredBy.Nobody, "", "", "")]
    public async Task Says_who_answers(uint w0, AnsweredBy who, string service, string function, string reason)
    {
        var answer = await daemon.Register.GetAsync(new() { Ranges = Ready(), W0 = w0 });
        Assert.Equal((w0, who, service, reason), (answer.W0, answer.AnsweredBy, answer.Service, answer.Reason));
        Assert.True(function.Length == 0 || answer.Function == function, answer.Function);
    }

    [Fact]
    public async Task SMC64_from_AArch32_is_answered_by_nobody()
    {
        var answer = await daemon.Register.GetAsync(new() { W0 = 0xC400_0003, ExecutionState = ExecutionState.Aarch32 });
        Assert.Equal(AnsweredBy.Nobody, answer.AnsweredBy);
    }

    [Fact]
    public async Task The_list_is_sorted_complete_and_agrees_with_each_query()
    {
        var ranges = new List<RegisterRange>();
        using var list = daemon.Register.List(new() { Ranges = Ready() });
        while (await list.ResponseStream.MoveNext().Soon())
        {
            ranges.Add(list.ResponseStream.Current);
        }

        ulong next = 0;
        foreach (var range in ranges)
        {
            Assert.Equal(next, range.First);
            foreach (var w0 in (uint[])[range.First, range.Last])
            {
                var answer = await daemon.Register.GetAsync(new() { Ranges = Ready(), W0 = w0 });
                Assert.Equal((range.AnsweredBy, range.Service, range.Reason), (answer.AnsweredBy, answer.Service, answer.Reason));
            }

            next = range.Last + 1ul;
        }

        Assert.Equal(1ul << 32, next);
    }

    [Fact]
    public async Task An_unknown_machine_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => daemon.Register.GetAsync(new() { Machine = "nobody's", W0 = 1 }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, refusal.StatusCode);
    }

    private static Ready Ready()
    {
        var ready = Hypercalls.Client.KernelShare.None("");
        var smc = ready.Ranges.First(range => range is { Conduit: Conduit.Smc, ExecutionState: ExecutionState.Aarch64 });
        ready.Ranges.Remove(smc);
        foreach (var (first, last, disposition, reason) in Kernel)
        {
            var range = smc.Clone();
            (range.First, range.Last, range.Disposition, range.Reason) = (first, last, disposition, reason);
            ready.Ranges.Add(range);
        }

        return ready;
    }
}
