using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Hypercalls.Acme;
using Hypercalls.Hello;
using Hypercalls.Psci;
using Hypercalls.Sdei;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;
using Hypercalls.Testkit.Sanity;
using Hypercalls.Trng;

namespace Hypercalls.Tests.Testkit.Sanity;

public sealed partial class SanityRunTests
{
    private const string OnOneCore = "on a machine of 1 core at EL1, without interrupts for services:";

    /// <summary>A machine that runs tests beside others may stop anybody for a while.</summary>
    private static readonly TimeSpan s_never = TimeSpan.FromMinutes(2);

    private static uint s_static;

    public static TheoryData<string> Services => [.. s_services.Keys];

    private static readonly Dictionary<string, Func<Service>> s_services = new()
    {
        ["hello"] = () => new HelloService(),
        ["trng"] = () => new TrngService(),
        ["acme"] = () => new AcmeService(new() { TamperEvent = 0 }, new TestLog()),
        ["remembers nothing"] = () => new WrongService<object>(new() { { 0xC300_0001, "RIGHT", (in _) => Answer.Success } }),
        ["smccc 1.0"] = () => new SmcccService(new() { Version = new(1, 0) }),
        ["smccc 1.3"] = () => new SmcccService(new() { SocId = new() { Bank = 4, Code = 0x3B, Number = 7, Name = "SoC" } }),
        ["psci 0.2"] = () => new PsciService(new() { Version = new(0, 2) }),
        ["psci 1.3"] = () => new PsciService(),
        ["sdei"] = () => new SdeiService(),
        ["sdei 1.0"] = () => new SdeiService(new() { Version = new(1, 0), Events = [new() { Number = 0x4000_0001, Type = EventType.Private }, new() { Number = 0x4000_0002, Type = EventType.Shared }] }),
    };

    [Theory]
    [MemberData(nameof(Services))]
    public void The_services_of_this_tree_are_sane(string service)
    {
        // Another seed each time: a failure names it.
        var report = SanityRun.Of(s_services[service], new() { SlowAfter = s_never, LongAfter = s_never, HangsAfter = s_never });
        Assert.True(report.Faults.Count == 0, report.ToString());
        Assert.All(report.Rules, rule => Assert.True(rule.Verdict == Verdict.Passed, report.ToString()));
    }

    public static TheoryData<string> WrongServices => [.. s_wrong.Keys];

    // What is wrong, the service, the whole list of its faults.
    private static readonly Dictionary<string, (Func<Service> Make, string[] Faults)> s_wrong = new()
    {
        ["a function of another owner"] = (() => new OfAnotherOwner(), [
            "table: The service cannot be served: 0x8200_0001 (WRONG_OWNER) is a function of SiliconPartner, and WRONG declares Oem alone"]),
        ["an identifier that stands twice"] = (() => Table((0xC300_0001, "WRONG_ONE", (in _) => Answer.Success), (0xC300_0001, "WRONG_TWO", (in _) => Answer.Success)), [
            "table: The service cannot be served: 0xC300_0001 stands twice in the table: WRONG_ONE and WRONG_TWO. (Parameter 'ids')"]),
        ["a function that throws"] = (() => Table((0xC300_0001, "WRONG_DIVIDE", (in call) => Answer.Value(7 / call[1]))), [
            $"""
            answers: WRONG failed in WRONG_DIVIDE: DivideByZeroException: Attempted to divide by zero.
                {OnOneCore}
                core 0: WRONG_DIVIDE() = NOT_SUPPORTED
            """]),
        ["an answer that no host can carry out"] = (() => Table((0xC300_0001, "WRONG_WRITE", (in call) => Answer.Success with { Writes = [new(call[1], [1, 2])] })), [
            $"""
            answers: WRONG failed in WRONG_WRITE: InvalidOperationException: The answer writes 2 bytes at 0x0, which is not all RAM of sanity, or more than 32768.
                {OnOneCore}
                core 0: WRONG_WRITE() = NOT_SUPPORTED
            """]),
        ["a function that asks for a register and does not say so"] = (() => Table((0xC300_0001, "WRONG_SIXTH", (in call) => Answer.Value(call[6]))), [
            $"""
            answers: WRONG failed in WRONG_SIXTH: ArgumentOutOfRangeException: x6 is not among the arguments; the function's row must say Uses(6), or the function ask for it by Need. (Parameter 'register')
                {OnOneCore}
                core 0: WRONG_SIXTH() = NOT_SUPPORTED
            """]),
        ["a reserved owner"] = (() => Table((0x8900_0001, "WRONG_NINTH", (in _) => Answer.Success)), [
            "undefined: WRONG_NINTH (0x8900_0001) is of owner 9, which is reserved (DEN0028, Function identifiers): choose another identifier"]),
        ["a reserved query"] = (() => Table((0xC300_FF01, "WRONG_QUERY", (in _) => Answer.Success)), [
            "undefined: WRONG_QUERY (0xC300_FF01) is of the general queries, of which there are Call Count, Call UID and Revision alone, SMC32 each (DEN0028, General service queries): choose another identifier"]),
        ["a reset that throws"] = (() => new ThrowsAtReset(), [
            $"""
            random calls: WRONG failed in reset: InvalidOperationException: It is open.
                {OnOneCore}
                core 0: WRONG_OPEN() = SUCCESS
                a cold reset
            """]),
        ["a fallback that throws"] = (() => new ThrowsAtFallback(), [
            $"""
            random calls: WRONG failed in not applied: InvalidOperationException: It was done.
                {OnOneCore}
                core 0: WRONG_DO(0x0), of which the guest sees its fallback = SUCCESS
            """]),
        ["tables that are none"] = (() => new ThrowsWhenLookedAt(), [
            $"""
            random calls: WRONG failed in tables: InvalidOperationException: Row 0 of Table has no cell for each of its 1 columns, or more.
                {OnOneCore}
                an operator looks at it
            """]),
        ["data that does not fit"] = (() => Table((0x8300_0001, "WRONG_SUM", (in call) => Answer.Value(1, call[1] + call[2]))), [
            $"""
            widths: WRONG_SUM answers x1 = 0x100000000 to an SMC32 call: the guest gets the low 32 bits alone. Answer what fits, or a status
                {OnOneCore}
                core 0: WRONG_SUM(0xffffffff, 0x1) = 0x1
            """]),
        ["a mandatory function without a version"] = (() => Traits((0xC300_0001, "WRONG_MUST", FunctionTraits.Mandatory, (in _) => Answer.Success)), [
            "families: WRONG_MUST is mandatory, but no row is the VERSION function, by which a guest knows that: give that row FunctionTraits.Version"]),
        ["two versions"] = (() => Traits((0xC300_0001, "WRONG_FIRST", FunctionTraits.Version, (in _) => Answer.Value(1)), (0xC300_0002, "WRONG_SECOND", FunctionTraits.Version, (in _) => Answer.Value(1))), [
            "families: WRONG_FIRST and WRONG_SECOND both say that they are the VERSION function: leave one"]),
        ["a mandatory function that is none"] = (() => Traits((0x8300_0000, "WRONG_VERSION", FunctionTraits.Version, (in _) => Answer.Value(1)), (0xC300_0001, "WRONG_LATER", FunctionTraits.Mandatory, (in _) => Answer.NotSupported)), [
            "families: WRONG_LATER is mandatory, and answers NOT_SUPPORTED to each of its 586 calls"]),
        ["a specification's family without its version"] = (() => Table((0x8400_0052, "TRNG_GET_UUID", (in _) => Answer.Value(1))), [
            "families: TRNG_GET_UUID (0x8400_0052) of WRONG is not served, because nobody serves TRNG_VERSION: add that row"]),
        ["a specification's family with less than it demands"] = (() => Table((0x8400_0050, "TRNG_VERSION", (in _) => Answer.Value(0x1_0000)), (0x8400_0053, "TRNG_RND", (in _) => Answer.Status(-3))), [
            "families: TRNG_FEATURES (0x8400_0051) is missing: TRNG 1.0 demands it of everyone",
            "families: TRNG_GET_UUID (0x8400_0052) is missing: TRNG 1.0 demands it of everyone",
            "families: TRNG_RND (0xC400_0053) is missing: TRNG 1.0 demands it of everyone"]),
        ["features that are none"] = (() => Table((0xC500_0020, "PV_TIME_FEATURES", (in call) => Answer.Status(call[1] == 0xC500_0020 ? 0 : -1)), (0xC500_0021, "PV_TIME_ST", (in _) => Answer.Value(0x4000_0000))), [
            "families: PV_TIME_FEATURES says NOT_SUPPORTED of PV_TIME_ST (0xC500_0021), which is in the table"]),
        ["features of everything"] = (() => Table((0x8000_0000, "SMCCC_VERSION", (in _) => Answer.Value(0x1_0001)), (0x8000_0001, "SMCCC_ARCH_FEATURES", (in _) => Answer.Success)), [
            "families: SMCCC_ARCH_FEATURES says SUCCESS of SMCCC_ARCH_SOC_ID (0x8000_0002), which is not in the table",
            "families: SMCCC_ARCH_FEATURES says SUCCESS of SMCCC_ARCH_SOC_ID (0xC000_0002), which is not in the table",
            "families: SMCCC_ARCH_FEATURES says SUCCESS of SMCCC_ARCH_FEATURE_AVAILABILITY (0xC000_0003), which is not in the table",
            "families: SMCCC_ARCH_FEATURES says SUCCESS of CLEAN_INV_MEMREGION (0xC000_0005), which is not in the table",
            "families: SMCCC_ARCH_FEATURES says SUCCESS of CLEAN_INV_MEMREGION_ATTRIBUTES (0xC000_0006), which is not in the table"]),
        ["a count that does not count"] = (() => Table((0xC300_0001, "WRONG_DO", (in _) => Answer.Success), (0x8300_FF00, "WRONG_COUNT", (in _) => Answer.Value(7))), [
            "general queries: OEM_CALL_COUNT (0x8300_FF00) answers 0x7, and the table has identifiers of Oem, SMC32 and SMC64 each: 0x1"]),
        ["memory of the service itself"] = (() => new RemembersBesideItsState(), [
            $"""
            determinism: core 0: WRONG_COUNT() gives 0x1 the first time, and 0x2 in another machine, called alike: the service remembers beside its state, of which there is one for each machine
                {OnOneCore}
                core 0: WRONG_COUNT() = 0x1
            """]),
        ["arguments that are not cut"] = (() => Table((0x8300_0001, "WRONG_RAW", (in call) => Answer.Value(call.Registers[1] >> 32))), [
            $"""
            upper halves: core 0: WRONG_RAW() gives 0x0, and 0xdeadbeef with 0xdeadbeef in the upper halves of 32-bit registers: take arguments by call[1], which cuts them, not from call.Registers
                {OnOneCore}
                core 0: WRONG_RAW() = 0x0
            """]),
        ["a member that is not saved"] = (() => new Forgets(), [
            $"""
            save and restore: ForgottenState.Secret is 1 before the state is saved and restored, and 0 after: give it a public property with get and init, of a type that goes into JSON and back
                {OnOneCore}
                core 0: WRONG_SET(0x1) = SUCCESS
            """]),
        ["a function that takes long"] = (() => Table((0xC300_0001, "WRONG_WAIT", (in _) => Slowly())), [
            $"""
            deadline: WRONG_WAIT takes longer than 200 ms: a service that holds the machine's turn for half a second is left behind, and long work belongs into Work
                {OnOneCore}
                core 0: WRONG_WAIT()
            """]),
        ["a function that does not come back"] = (() => Table((0xC300_0001, "WRONG_LOOP", (in _) => Never())), [
            $"""
            deadline: WRONG_LOOP did not come back within 2 s: a machine goes on without the service after half a second
                {OnOneCore}
                core 0: WRONG_LOOP()
            """]),
        ["attaching that does not come back"] = (() => new HangsAtAttach(), [
            "deadline: attach did not come back within 2 s: a machine goes on without the service after half a second"]),
    };

    [Theory]
    [MemberData(nameof(WrongServices))]
    public void A_service_that_is_wrong_in_one_way_has_that_fault_and_no_other(string wrong)
    {
        var (make, faults) = s_wrong[wrong];
        var options = wrong.EndsWith("that takes long", StringComparison.Ordinal) ? Options(slowAfter: TimeSpan.FromMilliseconds(200))
            : wrong.EndsWith("that does not come back", StringComparison.Ordinal) ? Options(hangsAfter: TimeSpan.FromSeconds(2))
            : Options();
        Assert.Equal(string.Join('\n', faults), string.Join('\n', SanityRun.Of(make, options).Faults.Select(Text)));
    }

    [Fact]
    public void A_clock_random_numbers_and_static_memory_of_its_own_are_told_from_the_state()
    {
        Func<Service>[] services =
        [
            () => Table((0xC300_0001, "WRONG_TIME", (in _) => Answer.Value((ulong)DateTime.UtcNow.Ticks))),
            () => Table((0xC300_0001, "WRONG_DICE", (in _) => Answer.Value((ulong)Random.Shared.NextInt64()))),
            () => Table((0xC300_0001, "WRONG_STATIC", (in _) => Answer.Value(Interlocked.Increment(ref s_static)))),
        ];
        Assert.All(services, make =>
        {
            var report = SanityRun.Of(make, Options());
            var fault = Assert.Single(report.Faults);
            Assert.Matches("^core 0: WRONG_[A-Z]+\\(\\) gives 0x[0-9a-f]+ the first time, and 0x[0-9a-f]+ on another instance, called alike: the service has a clock, random numbers or static memory of its own. Take call.Now and call.Random, and remember in the state$", fault.Sentence);
            Assert.Equal(2, fault.History.Count);
            Assert.Equal(
                [("upper halves", "needs determinism"), ("save and restore", "needs determinism")],
                report.Rules.Where(rule => rule.Verdict == Verdict.NotJudged).Select(rule => (rule.Rule, rule.Detail)));
        });
    }

    [Fact]
    public void A_state_that_grows_without_end_is_told_with_the_function_that_adds_to_it()
    {
        var fault = Assert.Single(SanityRun.Of(
            () => new WrongService<WrongState>(new()
            {
                { 0xC300_0001, "WRONG_LOG", (in call, state) => (state with { Seen = [.. state.Seen, 1] }, Answer.Success) },
                { 0xC300_0002, "WRONG_KEEP", (in call, state) => (state with { Count = (uint)call[1] }, Answer.Success) },
            }),
            Options()).Faults);
        Assert.Equal("growth", fault.Rule);
        Assert.Matches("^The saved state grows with the calls, and does not stop: [0-9]+ characters after 150 steps, [0-9]+ after 2400. WRONG_LOG adds about [0-9]+ a call. Bound what is remembered$", fault.Sentence);
        Assert.Equal(["on a machine of 2 cores at EL1, with interrupts for services:", "WRONG_LOG, again and again"], fault.History);
    }

    [Fact]
    public void A_state_that_fills_up_to_a_bound_is_no_fault() => Assert.Empty(SanityRun.Of(
        () => new WrongService<WrongState>(new() { { 0xC300_0001, "LAST_TEN", (in call, state) => (state with { Seen = [.. state.Seen.TakeLast(9), call[1]] }, Answer.Success), "value" } }),
        Options()).Faults);

    [Fact]
    public void A_state_that_cannot_be_saved_is_told()
    {
        var fault = Assert.Single(SanityRun.Of(() => new CannotBeSaved(), Options()).Faults);
        Assert.StartsWith("save and restore: The state cannot be saved: Serialization and deserialization of 'System.Type' instances is not supported", Text(fault), StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_function_that_does_not_come_back_nothing_else_is_judged()
    {
        var report = SanityRun.Of(() => Table((0xC300_0001, "WRONG_LOOP", (in _) => Never())), Options(hangsAfter: TimeSpan.FromSeconds(2)));
        Assert.Equal(
            [Verdict.Passed, .. Enumerable.Repeat(Verdict.NotJudged, 10), Verdict.Failed],
            report.Rules.Select(rule => rule.Verdict));
    }

    [Fact]
    public void The_report_is_a_table_and_the_faults_with_what_leads_to_them()
    {
        var report = SanityRun.Of(() => Table((0xC300_0001, "WRONG_DIVIDE", (in call) => Answer.Value(7 / call[1]), ["divisor"])), Options());
        Assert.Equal(
            $"""
            WRONG 1.0: seed 1, 1200 random calls

            rule              verdict     detail
            ----------------  ----------  ------
            table             ok          1 functions under 1 identifiers
            answers           failed      1 fault in 48 calls on 12 kinds of machine
            undefined         ok          43 identifiers around those of the table
            random calls      ok          1200 calls, core reports, resets, fallbacks and events in any order on 12 kinds of machine
            widths            ok          0 SMC32 and 1 SMC64 identifiers
            families          ok          its own family
            general queries   ok          27 queries
            determinism       ok          300 steps, three times
            upper halves      ok          300 steps, twice
            save and restore  ok          300 steps, and a restored state before each
            growth            ok          150 to 600 steps: 30 to 30 characters of state
            deadline          ok          {Calls(report)} calls

            answers: WRONG failed in WRONG_DIVIDE: DivideByZeroException: Attempted to divide by zero.
                {OnOneCore}
                core 0: WRONG_DIVIDE(0x0) = NOT_SUPPORTED

            """,
            Lines().Replace(report.ToString(), ""));

        var json = JsonNode.Parse(report.ToJson())!;
        Assert.Equal(("WRONG", "1.0", 1, 1200), ((string)json["service"]!, (string)json["version"]!, (int)json["seed"]!, (int)json["calls"]!));
        Assert.Equal(report.Rules.Select(rule => rule.Rule), json["rules"]!.AsArray().Select(rule => (string)rule!["rule"]!));
        Assert.Equal(report.Faults.Single().History, json["faults"]!.AsArray().Single()!["history"]!.AsArray().Select(line => (string)line!));
    }

    [Fact]
    public void A_seed_repeats_a_run() => Assert.Equal(
        Lines().Replace(SanityRun.Of(() => new ThrowsAtReset(), Options()).ToString(), ""),
        Lines().Replace(SanityRun.Of(() => new ThrowsAtReset(), Options()).ToString(), ""));

    [Theory]
    [InlineData(99)]
    [InlineData(10_000_001)]
    public void Refuses_numbers_of_calls_that_make_no_sense(int calls) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SanityRun.Of(() => new HelloService(), new() { Calls = calls }));

    private static SanityOptions Options(TimeSpan? slowAfter = null, TimeSpan? hangsAfter = null) => new()
    {
        Seed = 1,
        Calls = 1200,
        SlowAfter = slowAfter ?? s_never,
        LongAfter = s_never,
        HangsAfter = hangsAfter ?? s_never,
    };

    private static Answer Slowly()
    {
        Blocking.For(TimeSpan.FromMilliseconds(400));
        return Answer.Success;
    }

    private static Answer Never()
    {
        Blocking.For(Timeout.InfiniteTimeSpan);
        return Answer.Success;
    }

    private static string Calls(SanityReport report) => report.Rules[^1].Detail.Split(' ')[0];

    private static WrongService<WrongState> Table(params (uint Id, string Name, ServeStateless Code)[] rows) => Traits([.. rows.Select(row => (row.Id, row.Name, default(FunctionTraits), row.Code))]);

    private static WrongService<WrongState> Table((uint Id, string Name, ServeStateless Code, string[] Parameters) row) => new(new() { { row.Id, row.Name, row.Code, row.Parameters } });

    private static WrongService<WrongState> Traits(params (uint Id, string Name, FunctionTraits Traits, ServeStateless Code)[] rows)
    {
        var table = new FunctionTable<WrongState>();
        foreach (var (id, name, traits, code) in rows)
        {
            table.Add(id, name, code, traits);
        }

        return new(table);
    }

    /// <summary>A fault without the lines of code that an exception names.</summary>
    private static string Text(SanityFault fault) => Lines().Replace(fault.ToString(), "");

    [GeneratedRegex(" \\(at .*\\)$", RegexOptions.Multiline)]
    private static partial Regex Lines();
}
