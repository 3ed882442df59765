using Hypercalls.Client.Kernel;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire;
using Hypercalls.Hello;
using Hypercalls.Kvm;
using Hypercalls.Psci;
using Hypercalls.Sdei;
using Hypercalls.Sdk;
using Hypercalls.Smccc;

namespace Hypercalls.Tests.Daemon.Machines;

/// <summary>What a kernel keeps from services, and what follows.</summary>
public sealed class KernelConflictsTests
{
    private static readonly ValueArray<Conduit> s_both = [Conduit.Smc, Conduit.Hvc];

    [Fact]
    public void Where_everything_is_forwarded_nothing_is_missed()
    {
        var conflicts = KernelConflicts.Of(new([new PsciService(), new SmcccService()]), KernelRegisterRanges.AllForwarded, s_both);
        Assert.Null(conflicts.Refusal());
        Assert.Empty(conflicts.Shadowed);
    }

    [Theory]
    [InlineData("linux-6.12-forward-all")]
    [InlineData("linux-7.2-forward-all")]
    public void A_service_that_yields_is_no_conflict_but_says_what_it_misses(string kernel)
    {
        var conflicts = Conflicts(kernel, s_both, new PsciService(), new SmcccService());
        Assert.Null(conflicts.Refusal());
        Assert.Equal(
            "SMCCC never sees SMCCC_VERSION (0x8000_0000, always), SMCCC_ARCH_FEATURES (0x8000_0001, always), and serves nothing of its family without SMCCC_VERSION",
            Assert.Single(conflicts.Sentences(), sentence => sentence.StartsWith("SMCCC ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_service_that_insists_on_what_the_kernel_keeps_is_refused_in_a_sentence()
    {
        var conflicts = Conflicts("linux-7.2-defaults", s_both, new PsciService());
        Assert.StartsWith("PSCI never sees PSCI_VERSION (0x8400_0000, PSCI version register: 1.3), CPU_SUSPEND (0x8400_0001, PSCI version register: 1.3), ", conflicts.Refusal(), StringComparison.Ordinal);
        Assert.EndsWith(
            " more, and serves nothing of its family without PSCI_VERSION. Let the host forward them, take the service away, or attach with --allow-shadowed.",
            conflicts.Refusal(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_service_that_follows_what_the_kernel_answers_unseen_is_refused_whatever_is_allowed(bool allowsShadowed)
    {
        var firmware = KernelProfiles.Kernels["linux-6.12-defaults"] with { Filter = KvmFilter.Of(PsciOwner.Kernel, []) };
        var conflicts = KernelConflicts.Of(new([new PsciService(), new SdeiService()]), FromWire.Ranges(KvmRegister.Of(firmware)), s_both);
        Assert.Equal(
            "SDEI follows CPU_SUSPEND, CPU_OFF, CPU_ON, which this machine's kernel answers unseen. Let the host forward them (run --psci daemon), or take the service away (run --without).",
            conflicts.Refusal(allowsShadowed));
    }

    [Fact]
    public void A_service_that_the_machine_would_not_have_follows_nothing()
    {
        Assert.Null(Conflicts("linux-6.12-defaults", s_both, new PsciService(), new SdeiService()).Refusal(allowsShadowed: true));
    }

    [Fact]
    public void What_one_conduit_carries_arrives()
    {
        Assert.Null(Conflicts("linux-6.12-forward-all", [Conduit.Hvc], new PsciService()).Refusal());
    }

    [Fact]
    public void An_immediate_that_AArch64_cannot_call_with_is_missed()
    {
        var claims = new ClaimingService(new(Conduit.Smc, 1), new(Conduit.Hvc, 1));
        Assert.Equal(
            "CLAIMING never sees CLAIMING immediate (SMC #0x1, KVM answers SMC with an immediate other than 0 with NOT_SUPPORTED)",
            Assert.Single(Conflicts("linux-6.12-forward-all", s_both, claims).Sentences(), sentence => sentence.StartsWith("CLAIMING", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_immediate_of_which_no_ID_arrives_is_missed()
    {
        var claims = new ClaimingService(new(Conduit.Smc, 1), new(Conduit.Hvc, 1));
        Assert.Equal(
            "CLAIMING never sees CLAIMING immediate (SMC #0x1, KVM before Linux 6.4 answers every SMC with NOT_SUPPORTED), CLAIMING immediate (HVC #0x1, no filter range forwards it)",
            Assert.Single(Conflicts("linux-6.1-defaults", s_both, claims).Sentences(), sentence => sentence.StartsWith("CLAIMING", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_immediate_by_a_conduit_that_the_machine_does_not_have_is_no_conflict()
    {
        var claims = new ClaimingService(new ImmediateClaim(Conduit.Smc, 1));
        Assert.DoesNotContain(Conflicts("linux-6.1-defaults", [Conduit.Hvc], claims).Shadowed, IsClaiming);
    }

    [Fact]
    public void A_family_whose_VERSION_does_not_arrive_is_withheld_and_the_others_stay()
    {
        var services = new ServiceSet([new PsciService(), new HelloService()]);
        var machine = new ServedMachine(services, Keeping(0x8400_0000), s_both);
        Assert.Equal(["PSCI_VERSION"], machine.Conflicts.Shadowed.Select(function => function.Function.Name));
        Assert.False(machine.Services.Contains(new(0xC400_0003)));
        Assert.True(machine.Services.Contains(new(0x8200_0001)));
        Assert.Equal(["PSCI never sees PSCI_VERSION (0x8400_0000, kept), and serves nothing of its family without PSCI_VERSION"], machine.Conflicts.Sentences());
    }

    [Fact]
    public void A_service_s_own_family_hangs_on_the_row_that_says_it_is_its_VERSION()
    {
        var services = new ServiceSet([new PsciService(), new HelloService()]);
        var machine = new ServedMachine(services, Keeping(0x8200_0000), s_both);
        Assert.Equal(["HELLO never sees HELLO_VERSION (0x8200_0000, kept), and serves nothing of its family without HELLO_VERSION"], machine.Conflicts.Sentences());
        Assert.Equal((false, true), (machine.Services.Contains(new(0xC200_0001)), machine.Services.Contains(new(0xC400_0003))));
    }

    [Fact]
    public void A_family_that_two_services_share_is_withheld_from_both()
    {
        var services = new ServiceSet(
        [
            new TableService("RANDOM", new() { { 0x8400_0053, "TRNG_RND", (in _) => Answer.Success }, { 0xC200_0007, "DICE", (in _) => Answer.Success } }),
            new TableService("TRNG", new() { { 0x8400_0050, "TRNG_VERSION", (in _) => Answer.Value(0x1_0000) } }),
        ]);
        var machine = new ServedMachine(services, Keeping(0x8400_0050), s_both);
        Assert.Equal((false, true), (machine.Services.Contains(new(0x8400_0053)), machine.Services.Contains(new(0xC200_0007))));
        Assert.Equal(
            ["TRNG never sees TRNG_VERSION (0x8400_0050, kept), and serves nothing of its family without TRNG_VERSION", "RANDOM serves nothing of its family without TRNG_VERSION"],
            machine.Conflicts.Sentences());
    }

    [Fact]
    public void A_function_that_is_not_VERSION_is_missed_alone()
    {
        var services = new ServiceSet([new PsciService()]);
        var machine = new ServedMachine(services, Keeping(0x8400_0008), s_both);
        Assert.Same(services, machine.Services);
        Assert.Equal(["PSCI never sees SYSTEM_OFF (0x8400_0008, kept)"], machine.Conflicts.Sentences());
    }

    private static bool IsClaiming(Shadowed call) => call.Service is ClaimingService;

    private static KernelConflicts Conflicts(string kernel, ValueArray<Conduit> conduits, params Service[] services) =>
        KernelConflicts.Of(new(services), FromWire.Ranges(KernelProfiles.Find(kernel)!), conduits);

    /// <summary>A kernel that keeps one ID, whatever the way to call.</summary>
    private static KernelRegisterRanges Keeping(uint id) => KernelRegisterRanges.FromSorted(
    [
        .. from conduit in s_both
           from isAArch32 in (bool[])[false, true]
           from range in ((uint First, uint Last, Disposition Disposition)[])[(0, id - 1, Disposition.Forwarded), (id, id, Disposition.Kernel), (id + 1, uint.MaxValue, Disposition.Forwarded)]
           select new KernelRange(conduit, isAArch32, ImmediateRule.Any, range.First, range.Last, range.Disposition, range.Disposition == Disposition.Kernel ? "kept" : ""),
    ]);
}
