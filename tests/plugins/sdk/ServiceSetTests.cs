using Hypercalls.Daemon.Machines;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Smccc;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>The rules that hold for every service.</summary>
public sealed class ServiceSetTests
{
    private const ulong High = 0xDEAD_BEEF_0000_0000;
    private const uint Smc32 = 0x8200_0000;
    private const uint Smc64 = 0xC200_0000;

    [Theory]
    [InlineData(Smc32, 1ul, 5ul)]
    [InlineData(Smc64, High | 1, High | 5)]
    public void SMC32_arguments_are_truncated(uint id, ulong x1, ulong x5)
    {
        var machine = new TestMachine(new EchoService());
        machine.Call(id, High | 1, 0, 0, 0, High | 5);
        Assert.Equal(new EchoState { X1 = x1, X5 = x5 }, machine.StateOf<EchoState>());
    }

    [Theory]
    //          id     status  x0
    [InlineData(Smc32, -9, 0xFFFF_FFFF_FFFF_FFF7ul)]
    [InlineData(Smc64, -9, 0xFFFF_FFFF_FFFF_FFF7ul)]
    [InlineData(Smc32, 0, 0ul)]
    [InlineData(Smc32, 5, 5ul)]
    [InlineData(Smc64, 5, 5ul)]
    public void A_status_is_sign_extended_in_both_conventions(uint id, int status, ulong x0) =>
        Assert.Equal(new Answer { X0 = x0 }, Answering(Answer.Status(status)).Call(id));

    public static TheoryData<uint, Answer, RegisterValue?> Cuts => new()
    {
        // ID   answer                                       what the guest never sees
        { Smc32, Answer.Value(0xFFFF_FFFF, 1, 2, 3),          null },
        { Smc32, Answer.Value(0x1_0000_0000),                 new(0, 0x1_0000_0000) },
        { Smc32, Answer.Value(0, High),                       new(1, High) },
        { Smc32, Answer.Value(0, 0, High),                    new(2, High) },
        { Smc32, Answer.Success with { X3 = High },           new(3, High) },
        { Smc32, Answer.Value(0) with { Beyond = [new(7, 1), new(4, High)] }, new(4, High) },
        { Smc32, Answer.Status(-9),                           null },
        { Smc32, Answer.Status(int.MinValue),                 null },
        { Smc32, Answer.Status(0x8000_0000),                  new(0, 0x8000_0000) },
        { Smc32, Answer.NotSupported,                         null },
        { Smc32, Answer.NoResults,                            null },
        { Smc64, Answer.Value(ulong.MaxValue, High),          null },
    };

    [Theory]
    [MemberData(nameof(Cuts))]
    public void What_does_not_fit_into_an_SMC32_answer_is_told(uint id, Answer answer, RegisterValue? cut)
    {
        var machine = Answering(answer);
        machine.Call(id);
        Assert.Equal(cut, machine.LastServed.Cut);
    }

    [Fact]
    public void Data_of_an_SMC32_function_is_zero_extended()
    {
        var data = Answer.Value(ulong.MaxValue, High | 1, High | 2, High | 3) with { Beyond = [new(4, High | 4), new(7, ulong.MaxValue)] };
        Assert.Equal(Answer.Value(0xFFFF_FFFF, 1, 2, 3) with { Beyond = [new(4, 4), new(7, 0xFFFF_FFFF)] }, Answering(data).Call(Smc32));
        Assert.Equal(data, Answering(data).Call(Smc64));
    }

    [Fact]
    public void Data_beside_a_status_is_zero_extended_too()
    {
        var mixed = Answer.Status(-3) with { X1 = ulong.MaxValue };
        Assert.Equal(Answer.Status(-3) with { X1 = 0xFFFF_FFFF }, Answering(mixed).Call(Smc32));
        Assert.Equal(mixed, Answering(mixed).Call(Smc64));
    }

    [Fact]
    public void No_results_stay_none()
    {
        var answer = Answer.NoResults with { Then = new Effect.PowerOff() };
        Assert.Equal(answer, Answering(answer).Call(Smc32));
    }

    [Theory]
    [InlineData(0x8400_0000, true)]  // PSCI_VERSION
    [InlineData(0xC400_0003, true)]  // CPU_ON
    [InlineData(0xC400_0021, false)] // SDEI_EVENT_REGISTER: not served here
    [InlineData(0xC401_0003, true)]  // CPU_ON with the SVE hint
    [InlineData(0xC402_0003, false)] // bit 17 must be zero
    [InlineData(0xC480_0003, false)] // bit 23 too
    [InlineData(0xC403_0003, false)] // whatever the hint says
    [InlineData(0x8600_FF01, false)] // call UID of the vendor hypervisor
    [InlineData(0x3200_0004, false)] // yielding
    [InlineData(0x0400_0003, false)] // CPU_ON as a yielding call
    [InlineData(0x95C1_BA60, false)] // PSCI 0.1 CPU_ON
    public void Routes(uint id, bool served)
    {
        var machine = new TestMachine(2, new PsciService(), new SmcccService());
        Assert.Equal(served, machine.Services.Contains(new(id)));
        Assert.Equal(served, machine.Services.Find(new(id), Conduit.Smc, 0, false) is not null);
        Assert.Equal(served, machine.Call(id, 1, 0x4008_0000, 0) != Answer.NotSupported);
        Assert.Equal(served ? "PSCI" : null, machine.Services.Find(new(id), Conduit.Hvc, 0, false)?.Service.Name);
    }

    [Fact]
    public void A_service_never_sees_the_SVE_hint()
    {
        FunctionId? seen = null;
        var machine = new TestMachine(new TableService("S", new() { { Smc64, "F", (in call) => { seen = call.Function; return Answer.Success; } } }));
        machine.Call(Smc64 | 0x1_0000);
        Assert.Equal(new FunctionId(Smc64), seen);
    }

    [Theory]
    [InlineData(Smc32, true)]
    [InlineData(Smc64, false)] // SMC64 is not for AArch32
    public void AArch32_callers_have_the_SMC32_functions(uint id, bool served)
    {
        var calls = 0;
        var machine = new TestMachine(new TableService("S", new()
        {
            { Smc32, Smc64, "F", (in _) => { calls++; return Answer.Success; } },
        }));

        Assert.Equal(served ? Answer.Success : Answer.NotSupported, machine.Core(0).AArch32.Call(id));
        Assert.Equal(served ? 1 : 0, calls);
    }

    [Theory]
    [InlineData(Conduit.Hvc, 0, true)]
    [InlineData(Conduit.Smc, 0, true)]
    [InlineData(Conduit.Hvc, 1, false)]
    [InlineData(Conduit.Smc, 0xFFFF, false)]
    public void An_immediate_that_nobody_claims_is_not_supported(Conduit conduit, int immediate, bool served)
    {
        var core = Answering(Answer.Success).Core(0) with { Conduit = conduit, Immediate = (ushort)immediate };
        Assert.Equal(served ? Answer.Success : Answer.NotSupported, core.Call(Smc32));
    }

    [Theory]
    [InlineData(Conduit.Hvc, 7, true)]
    [InlineData(Conduit.Smc, 7, false)] // the other conduit
    [InlineData(Conduit.Hvc, 8, false)]
    public void A_claimed_immediate_leads_to_its_service_whatever_w0_holds(Conduit conduit, int immediate, bool served)
    {
        var machine = new TestMachine(new ClaimingService(new(Conduit.Hvc, 7)));
        foreach (var w0 in new uint[] { 0, 0x8400_0003, 0xC402_0003, 0xFFFF_FFFF })
        {
            var core = machine.Core(0) with { Conduit = conduit, Immediate = (ushort)immediate };

            // No SMCCC call: nothing is truncated or extended, and AArch32 callers are served alike.
            Assert.Equal(served ? Answer.Value(ulong.MaxValue, w0) : Answer.NotSupported, core.Call(w0, ulong.MaxValue));
            Assert.Equal(served ? Answer.Value(5, w0) : Answer.NotSupported, core.AArch32.Call(w0, 5));
        }
    }

    [Fact]
    public void A_throwing_service_gives_NOT_SUPPORTED_and_keeps_its_state()
    {
        var machine = new TestMachine(new TableService("ACME", new()
        {
            { Smc32, "COUNT", (in _, state) => (state with { Calls = state.Calls + 1 }, Answer.Success) },
            { Smc32 + 1, "FAIL", (in _, state) => throw new InvalidOperationException("out of paper") },
        }));
        machine.Call(Smc32);

        Assert.Equal(Answer.NotSupported, machine.Call(Smc32 + 1));
        Assert.Equal(new TableState { Calls = 1 }, machine.StateOf<TableState>());
        Assert.StartsWith("ACME failed in FAIL: InvalidOperationException: out of paper (at ", machine.LastFailure?.ToString(), StringComparison.Ordinal);

        machine.Call(Smc32);
        Assert.Null(machine.LastFailure);
        Assert.Single(machine.Failures);
    }

    [Fact]
    public void A_register_that_the_row_does_not_use_cannot_be_read()
    {
        var machine = new TestMachine(new TableService("S", new()
        {
            { Smc64, "USES", (in call) => Answer.Value(call[17]), FunctionTraits.Uses(17) },
            { Smc64 + 1, "DOES_NOT", (in call) => Answer.Value(call[17]) },
            { Smc64 + 2, "X0", (in call) => Answer.Value(call[0]) },
            { Smc64 + 3, "X18", (in call) => Answer.Value(call[18]) },
        }));
        ulong[] arguments = [.. Enumerable.Range(1, 17).Select(i => (ulong)i)];

        Assert.Equal(Answer.Value(17), machine.Call(Smc64, arguments));
        foreach (var id in new[] { Smc64 + 1, Smc64 + 2, Smc64 + 3 })
        {
            Assert.Equal(Answer.NotSupported, machine.Call(id, arguments));
            Assert.IsType<ArgumentOutOfRangeException>(machine.LastFailure?.Exception);
        }
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void An_answer_that_cannot_be_carried_out_is_a_fault_of_its_service(Answer answer, string fault)
    {
        var machine = Answering(answer);
        Assert.Equal(Answer.NotSupported, machine.Call(Smc64));
        Assert.Equal(fault, machine.LastFailure?.Exception.Message);
    }

    public static TheoryData<Answer, string> Malformed => new()
    {
        { Answer.Success with { Beyond = [new(3, 0)] }, "The answer sets x3; x4 to x17 can be set here." },
        { Answer.Success with { Beyond = [new(18, 0)] }, "The answer sets x18; x4 to x17 can be set here." },
        { Answer.Success with { Beyond = [new(5, 0), new(5, 1)] }, "The answer sets x5 twice." },
        { Answer.NoResults with { Then = new Effect.Load { Registers = [new(31, 0)] } }, "The answer sets x31; x0 to x30 can be set here." },
        { Answer.NoResults with { Then = new Effect.Load { Registers = [new(-1, 0)] } }, "The answer sets x-1; x0 to x30 can be set here." },
        { Answer.Success with { Then = new Effect.PowerOn(Mpidr.FromRegister(9), 0, 0, 0) }, "The answer starts 0.0.0.9, which is no core of test." },
        { Answer.NoResults with { Then = new Effect.SystemEvent(SystemEventType.Crash, [.. new ulong[17]]) }, "The answer gives 17 values with a system event; 16 fit." },
    };

    [Theory]
    // id, register, whether it is a result: W0 to W7 of SMC32, x0 to x17 of SMC64
    [InlineData(Smc32, 7, true)]
    [InlineData(Smc32, 8, false)]
    [InlineData(Smc64, 8, true)]
    [InlineData(Smc64, 17, true)]
    public void Result_registers_are_those_of_the_convention(uint id, int register, bool isResult)
    {
        var answer = Answer.Success with { Beyond = [new(register, 5)] };
        var machine = Answering(answer);
        Assert.Equal(isResult ? answer : Answer.NotSupported, machine.Call(id));
        Assert.Equal(isResult ? null : $"The answer sets x{register}; x4 to x7 can be set here.", machine.LastFailure?.Exception.Message);
    }

    [Theory]
    // asked, conduit, AArch32, served
    [InlineData(0x8200_0000, Conduit.Smc, false, true)]  // a service's
    [InlineData(0xC200_0000, Conduit.Smc, false, true)]
    [InlineData(0xC200_0000, Conduit.Smc, true, false)] // SMC64 is not for AArch32
    [InlineData(0x8200_FF00, Conduit.Hvc, false, true)]  // a general query
    [InlineData(0x8200_0001, Conduit.Smc, false, false)] // refused by the kernel, although served
    [InlineData(0x8000_0000, Conduit.Smc, false, true)]  // the kernel's
    [InlineData(0x8000_0000, Conduit.Hvc, true, true)]
    [InlineData(0xC000_0000, Conduit.Smc, true, false)] // the kernel's too, but SMC64
    [InlineData(0x8004_0000, Conduit.Smc, false, false)] // a reserved bit
    public void A_caller_is_served_by_its_kernel_too(uint asked, Conduit conduit, bool isAArch32, bool served)
    {
        var services = new ServiceSet([new TableService("S", new() { { Smc32, Smc64, "F", Nothing }, { Smc32 + 1, "G", Nothing } })]);
        var kernel = new TestKernel().Answers(0x8000_0000, 0x8000_FFFF).Answers(0xC000_0000, 0xC000_FFFF).Refuses(Smc32 + 1, Smc32 + 1);
        Assert.Equal(served, services.SeenBy(conduit, isAArch32, kernel).Contains(new(asked)));
    }

    [Fact]
    public void Two_services_cannot_have_one_identifier() => Assert.Equal(
        "0xC200_0000 is claimed by FIRST (F) and by SECOND (G).",
        Assert.Throws<ServiceConflictException>(() => new ServiceSet(
        [
            new TableService("FIRST", new() { { Smc32, Smc64, "F", Nothing } }),
            new TableService("SECOND", new() { { Smc64, "G", Nothing } }),
        ])).Message);

    [Fact]
    public void Two_services_cannot_have_one_name() => Assert.Equal(
        "Two services are named SAME.",
        Assert.Throws<ServiceConflictException>(() => new ServiceSet([new TableService("SAME", []), new TableService("SAME", [])])).Message);

    [Fact]
    public void Two_services_cannot_have_one_immediate() => Assert.Equal(
        "HVC #0x7 is claimed by CLAIMING and by ALSO.",
        Assert.Throws<ServiceConflictException>(() => new ServiceSet(
            [new ClaimingService(new(Conduit.Hvc, 7)), new ClaimingService(new(Conduit.Hvc, 7), "ALSO")])).Message);

    [Fact]
    public void Immediate_0_cannot_be_claimed() => Assert.Equal(
        "CLAIMING claims SMC #0x0, the immediate of every SMCCC call.",
        Assert.Throws<ServiceConflictException>(() => new ServiceSet([new ClaimingService(new(Conduit.Smc, 0))])).Message);

    [Fact]
    public void A_service_that_throws_at_a_report_keeps_its_state_and_does_not_hide_it_from_the_others()
    {
        var machine = new TestMachine(2, new BrittleService([]), new PsciService());
        machine.Call(0x8400_0003, 1, 0x4008_0000, 0);
        Assert.Equal("BRITTLE failed in attach: ", machine.Failures[0].ToString()[..26]);

        machine.Core(1).Started();
        Assert.Equal(PowerState.On, machine.StateOf<PsciState>().Cores[1].Power);
        Assert.Equal("core change", machine.LastFailure?.During);
        Assert.Equal("BRITTLE", machine.LastFailure?.Service.Name);
    }

    [Fact]
    public void A_service_without_lifecycle_is_new_after_a_reset()
    {
        var machine = new TestMachine(new TableService("S", new()
        {
            { Smc32, "COUNT", (in _, state) => (state with { Calls = state.Calls + 1 }, Answer.Success) },
        }));
        machine.Call(Smc32);
        machine.Attach(machine.Description);
        Assert.Equal(1, machine.StateOf<TableState>().Calls);
        machine.Reset(ResetKind.Warm);
        Assert.Equal(0, machine.StateOf<TableState>().Calls);
    }

    [Theory]
    [InlineData(0x8400_0003, 9ul, "INVALID_PARAMETERS")]
    [InlineData(0x8400_0003, 0ul, "ALREADY_ON")]
    [InlineData(0x8400_0003, 1ul, "SUCCESS")]
    [InlineData(0x8400_0000, 0ul, "0x10003")]
    [InlineData(0x8400_0002, 0ul, "")]
    [InlineData(0x8400_001F, 0ul, "NOT_SUPPORTED")]
    public void Results_print_by_the_names_of_their_service(uint id, ulong target, string text)
    {
        var machine = new TestMachine(2, new PsciService());
        machine.Call(id, target, 0x4008_0000, 0);
        Assert.Equal(text, machine.LastResult);
    }

    [Fact]
    public void A_stateless_call_allocates_nothing()
    {
        var services = new ServiceSet([new PsciService(), new SmcccService(), new TableService("S", new() { { Smc32, Smc64, "F", Nothing } })]);
        var machine = TestMachine.Describe(4);
        var state = services.NewState(machine);
        var served = services.SeenBy(Conduit.Smc, false, KernelRegisterRanges.AllForwarded);
        var answers = 0ul;

        void Call(uint id)
        {
            var registers = new CallRegisters();
            registers[0] = id;
            registers[1] = 0x8000_0000;
            var call = new Hypercall { Function = new(id), Pstate = Pstate.El1h, Machine = machine, Served = served, Registers = registers };
            answers += services.Serve(call, state).Answer.X0;
        }

        void CallAll()
        {
            for (var i = 0; i < 1000; i++)
            {
                Call(0x8400_0000); // PSCI_VERSION
                Call(0x8400_000A); // PSCI_FEATURES
                Call(0x8000_0001); // SMCCC_ARCH_FEATURES
                Call(0xC201_0000); // with the SVE hint
                Call(0x8400_FF00); // Call Count
                Call(0xC400_0021); // unknown
            }
        }

        CallAll();
        var before = GC.GetAllocatedBytesForCurrentThread();
        CallAll();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.NotEqual(0ul, answers);
    }

    private static TestMachine Answering(Answer answer) =>
        new(new TableService("S", new() { { Smc32, Smc64, "F", (in _) => answer } }));

    private static Answer Nothing(in Hypercall call) => Answer.Success;

    private sealed record EchoState
    {
        public ulong X1 { get; init; }

        public ulong X5 { get; init; }
    }

    private sealed class EchoService : Service<EchoState>
    {
        public override string Name => "ECHO";

        public override string Version => "0";

        public override FunctionTable<EchoState> Functions { get; } = new()
        {
            { Smc32, Smc64, "ECHO", (in call, _) => (new EchoState { X1 = call[1], X5 = call[5] }, Answer.Success) },
        };
    }

    private sealed class ClaimingService(ImmediateClaim claim, string name = "CLAIMING") : Service<TableState>
    {
        public override string Name => name;

        public override string Version => "0";

        public override FunctionTable<TableState> Functions { get; } = [];

        public override IReadOnlyList<ImmediateClaim> Claims => [claim];

        protected override Serve<TableState> Claimed => (in call, _) => Answer.Value(call[1], call.Function.Value);
    }
}
