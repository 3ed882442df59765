using System.Globalization;
using Hypercalls.Client.Kernel;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire;
using Hypercalls.Hello;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Tests.Psci;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Daemon.Machines;

/// <summary>
/// Every kernel, every way to call: the list is the whole of w0 in order, and says of each ID what a query says.
/// HYPERCALLS_FUZZ_SEED repeats a seed that a failure has printed.
/// </summary>
public sealed class AnswerRegisterTests(ITestOutputHelper output)
{
    private const int Queries = 1_000_000;
    private const string NoKernel = "no kernel";

    private static readonly ServiceSet s_services = new(
    [
        new PsciService(),
        new SmcccService(),
        new HelloService(),
        new ClaimingService(new(Conduit.Smc, 1), new(Conduit.Hvc, 0xE200)),
        new TableService("SDEI", new() { { 0xC400_0021, "SDEI_EVENT_REGISTER", Nothing } }),
    ]);

    private static readonly string[] s_kernels = [NoKernel, .. KernelProfiles.Kernels.Keys];

    private static readonly Caller[] s_callers =
    [
        .. from conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc]
           from isAArch32 in (bool[])[false, true]
           from immediate in (ushort[])[0, 1, 2, 0xE200, 0xFFFF]
           select new Caller(conduit, isAArch32, immediate),
    ];

    public static TheoryData<string> Kernels { get; } = [.. s_kernels];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void The_list_is_sorted_without_gap_or_overlap_and_its_union_is_the_space(string kernel)
    {
        foreach (var caller in s_callers)
        {
            var ranges = Of(kernel).Ranges(caller).ToList();
            ulong next = 0;
            foreach (var (first, last, _) in ranges)
            {
                Assert.Equal((caller, next), (caller, (ulong)first));
                Assert.True(last >= first, $"{caller}: 0x{first:X8} to 0x{last:X8}");
                next = last + 1ul;
            }

            Assert.Equal((caller, 1ul << 32), (caller, next));
            Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.NotEqual(Said(caller, pair.First.First, pair.First.Answerer), Said(caller, pair.Second.First, pair.Second.Answerer)));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Each_border_its_neighbours_and_IDs_drawn_from_within_are_answered_as_listed(string kernel)
    {
        var (seed, register) = (Seed(), Of(kernel));
        var dice = new Dice(seed);
        foreach (var caller in s_callers)
        {
            foreach (var (first, last, answerer) in register.Ranges(caller))
            {
                var drawn = Enumerable.Range(0, 10).Select(_ => first + (uint)(dice.Next() % (last - first + 1ul)));
                foreach (var w0 in drawn.Concat([first, (uint)Math.Min(first + 1ul, last), (uint)Math.Max(last - 1L, first), last]))
                {
                    Assert.Equal((seed, w0, Said(caller, first, answerer)), (seed, w0, Said(caller, w0, register.At(caller, w0))));
                }
            }
        }
    }

    [Fact]
    public void A_million_random_queries_agree_with_the_lists()
    {
        var seed = Seed();
        var dice = new Dice(seed);
        uint[] known = [.. FunctionNames.Functions.SelectMany(function => function.Ids).Select(id => id.Value)];
        (string, Caller, AnswerRegister, (uint First, uint Last, Answerer Answerer)[])[] lists =
        [
            .. from kernel in s_kernels
               let register = Of(kernel)
               from caller in s_callers
               select (kernel, caller, register, register.Ranges(caller).ToArray()),
        ];
        for (var query = 0; query < Queries; query++)
        {
            var (kernel, caller, register, list) = lists[dice.Below(lists.Length)];
            // Anywhere, or near a function: one bit away, or the next.
            var w0 = dice.Below(4) switch
            {
                0 => (uint)dice.Next(),
                1 => dice.OneOf(known) ^ (1u << dice.Below(32)),
                2 => dice.OneOf(known) + (uint)dice.Below(3) - 1,
                _ => dice.OneOf(known) & 0xFFFF_0000 | (uint)dice.Below(1 << 16),
            };
            var (first, _, answerer) = list[Array.FindIndex(list, range => range.Last >= w0)];
            var (listed, asked) = (Said(caller, first, answerer), Said(caller, w0, register.At(caller, w0)));
            if (listed != asked)
            {
                Assert.Fail($"Seed {seed}: {kernel}, {caller}, 0x{w0:X8}: the list says {listed}, the query {asked}");
            }
        }
    }

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          kernel                    conduit      a32    imm     w0           by                            service     shadowed    reason
    [InlineData(NoKernel,                 Conduit.Smc, false, 0,      0xC400_0003, Answered.Service,             "PSCI",     null,       "")]
    [InlineData(NoKernel,                 Conduit.Smc, false, 0,      0xC401_0003, Answered.Service,             "PSCI",     null,       "")] // with the SVE hint
    [InlineData(NoKernel,                 Conduit.Smc, false, 0,      0xC402_0003, Answered.Nobody,              null,       null,       "")] // a reserved bit
    [InlineData(NoKernel,                 Conduit.Hvc, true,  0,      0x8400_0003, Answered.Service,             "PSCI",     null,       "")]
    [InlineData(NoKernel,                 Conduit.Hvc, true,  0,      0xC400_0003, Answered.Nobody,              null,       null,       "")] // SMC64 from AArch32
    [InlineData(NoKernel,                 Conduit.Smc, false, 1,      0x8400_0000, Answered.Service,             "CLAIMING", null,       "")]
    [InlineData(NoKernel,                 Conduit.Hvc, false, 1,      0x8400_0000, Answered.Nobody,              null,       null,       "")] // claimed by SMC alone
    [InlineData(NoKernel,                 Conduit.Smc, false, 0,      0xC400_0021, Answered.Nobody,              null,       "SDEI",     "nobody serves SDEI_VERSION")]
    [InlineData(NoKernel,                 Conduit.Smc, false, 0,      0x8600_FF01, Answered.Nobody,              null,       null,       "")]
    [InlineData("linux-6.1-defaults",     Conduit.Hvc, false, 0,      0x8400_0003, Answered.Kernel,              null,       "PSCI",     "PSCI version register: 1.1")]
    [InlineData("linux-6.1-defaults",     Conduit.Smc, false, 0,      0x8200_0001, Answered.Denied,              null,       "HELLO",    "KVM before Linux 6.4 answers every SMC with NOT_SUPPORTED")]
    [InlineData("linux-6.1-defaults",     Conduit.Hvc, false, 0,      0x8200_0001, Answered.Nobody,              null,       "HELLO",    "no filter range forwards it")]
    [InlineData("linux-6.12-defaults",    Conduit.Hvc, true,  0,      0xC400_0003, Answered.ClaimedButUnserved,  null,       null,       "SMC64 from AArch32 state")]
    [InlineData("linux-6.12-defaults",    Conduit.Smc, false, 0,      0x8400_0015, Answered.ClaimedButUnserved,  null,       "PSCI",     "PSCI version register: 1.1 has no such function")]
    [InlineData("linux-7.2-defaults",     Conduit.Smc, false, 0,      0x8400_0015, Answered.Kernel,              null,       "PSCI",     "PSCI version register: 1.3")]
    [InlineData("linux-7.2-defaults",     Conduit.Smc, false, 0,      0x8400_0050, Answered.Kernel,              null,       null,       "STD_BMAP bit 0")]
    [InlineData("linux-6.12-forward-all", Conduit.Smc, false, 0,      0xC400_0003, Answered.Service,             "PSCI",     null,       "SMCCC filter")]
    [InlineData("linux-6.12-forward-all", Conduit.Smc, false, 0,      0x8000_0000, Answered.Kernel,              null,       "SMCCC",    "always")]
    [InlineData("linux-6.12-forward-all", Conduit.Smc, false, 1,      0x8000_0000, Answered.Denied,              null,       "CLAIMING", "KVM answers SMC with an immediate other than 0 with NOT_SUPPORTED")]
    [InlineData("linux-6.12-forward-all", Conduit.Hvc, false, 0xE200, 0xC200_0001, Answered.Service,             "CLAIMING", null,       "SMCCC filter")]
#pragma warning restore format
    internal void Says_who_answers(string kernel, Conduit conduit, bool isAArch32, int immediate, uint w0, Answered by, string? service, string? shadowed, string reason)
    {
        var answerer = Of(kernel).At(new(conduit, isAArch32, (ushort)immediate), w0);
        Assert.Equal((by, service, shadowed, reason), (answerer.By, answerer.Service?.Name, answerer.Shadowed?.Name, answerer.Reason));
    }

    private static Answer Nothing(in Hypercall call) => Answer.Success;

    private static AnswerRegister Of(string kernel) =>
        new(new(s_services, kernel == NoKernel ? KernelRegisterRanges.AllForwarded : FromWire.Ranges(KernelProfiles.Find(kernel)!), [Conduit.Smc, Conduit.Hvc]));

    private static (Answered, string?, string, string?, string) Said(Caller caller, uint w0, Answerer answerer) =>
        (answerer.By, answerer.Service?.Name, AnswerRegister.NameOf(answerer.Function, caller.Immediate, new(w0)), answerer.Shadowed?.Name, answerer.Reason);

    private ulong Seed()
    {
        var seed = Environment.GetEnvironmentVariable("HYPERCALLS_FUZZ_SEED") is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : (ulong)Random.Shared.NextInt64();
        output.WriteLine($"Seed {seed}");
        return seed;
    }
}
