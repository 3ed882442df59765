using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using Hypercalls.Tests.Daemon.Machines;

namespace Hypercalls.Tests.Sdk;

/// <summary>Functions that services have and that are not served: their family lacks its VERSION, or a machine's kernel keeps them.</summary>
public sealed class WithheldFunctionsTests
{
    private const uint Smc32 = 0x8200_0000;

    [Fact]
    public void A_family_whose_VERSION_nobody_serves_is_not_served()
    {
        var services = new ServiceSet([new TableService("TRNG", new() { { 0x8400_0053, 0xC400_0053, "TRNG_RND", (in call) => Answer.Success } })]);
        Assert.Equal(
            ["TRNG_RND (0x8400_0053) of TRNG is not served, because nobody serves TRNG_VERSION", "TRNG_RND (0xC400_0053) of TRNG is not served, because nobody serves TRNG_VERSION"],
            services.Unversioned.Select(function => function.ToString()));
        Assert.False(services.Contains(new(0xC400_0053)));
        Assert.Equal(Answer.NotSupported, new TestMachine(new TableService("TRNG", new() { { 0x8400_0053, "TRNG_RND", (in call) => Answer.Success } })).Call(0x8400_0053));
    }

    [Fact]
    public void Two_services_may_share_a_family_when_one_has_its_VERSION()
    {
        var services = new ServiceSet(
        [
            new TableService("RANDOM", new() { { 0x8400_0053, "TRNG_RND", (in call) => Answer.Success } }),
            new TableService("TRNG", new() { { 0x8400_0050, "TRNG_VERSION", (in call) => Answer.Value(0x1_0000) } }),
        ]);
        Assert.Empty(services.Unversioned);
        Assert.Equal("RANDOM", services.Find(new(0x8400_0053), Conduit.Smc, 0, false)?.Service.Name);
    }

    [Fact]
    public void A_set_without_some_functions_has_the_same_states_and_counts_what_is_left()
    {
        var (psci, echo) = (new PsciService(), new TableService("ECHO", new() { { Smc32, "ECHO", (in _) => Answer.Success } }));
        var all = new ServiceSet([psci, echo, new ClaimingService(new ImmediateClaim(Conduit.Smc, 1))]);
        var some = all.Without(psci.Rows.SelectMany(row => row.Ids).ToHashSet());
        Assert.Equal((false, true, true), (some.Contains(new(0x8400_0000)), some.Contains(new(Smc32)), some.Serves(new(Conduit.Smc, 1))));
        Assert.Equal((true, false), (all.Contains(new(0x8400_FF00)), some.Contains(new(0x8400_FF00)))); // the count of its owner
        Assert.Equal(all.All.Select(service => service.Name), some.All.Select(service => service.Name));
    }

    [Fact]
    public void A_service_of_which_every_function_is_withheld_takes_no_part()
    {
        var brittle = new BrittleService(new() { { Smc32, "F", (in _) => Answer.Success } });
        var all = new ServiceSet([brittle]);
        var machine = TestMachine.Describe(1);
        Assert.Single(all.Attached(machine).Failures);
        Assert.Empty(all.Without(new HashSet<FunctionId> { new(Smc32) }).Attached(machine).Failures);
    }
}
