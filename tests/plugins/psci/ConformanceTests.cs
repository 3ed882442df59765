using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Psci.Platform;

namespace Hypercalls.Tests.Psci;

/// <summary>What tf-a-tests and a booting Linux expect of PSCI, in their order.</summary>
public sealed class ConformanceTests
{
    private readonly TestMachine _machine = new(cores: 4, new PsciService());

    [Fact]
    public void Mandatory_functions_are_features()
    {
        foreach (var id in new uint[] { 0x8400_0000, 0xC400_0001, 0x8400_0002, 0xC400_0003, 0xC400_0004, 0x8400_0008, 0x8400_0009, 0x8400_000A })
        {
            Assert.InRange((long)_machine.Call(Ids.PsciFeatures, id).X0, 0, long.MaxValue);
        }
    }

    [Theory]
    [InlineData(0xC400_A011)]
    [InlineData(0xFFFF_FFFF)]
    [InlineData(0xC400_0016)]
    public void Unknown_functions_are_none(uint id) => Assert.Equal(Answer.NotSupported, _machine.Call(Ids.PsciFeatures, id));

    [Fact]
    public void CPU_ON_of_itself_of_nobody_and_to_nowhere()
    {
        Assert.Equal(-4, (long)_machine.Call(Ids.CpuOn | Ids.Smc64, 0, Entry).X0);
        Assert.Equal(-2, (long)_machine.Call(Ids.CpuOn | Ids.Smc64, 0xFFFF_FFFF, Entry).X0);
        Assert.Equal(-9, (long)_machine.Call(Ids.CpuOn | Ids.Smc64, 1, 0x1).X0);
    }

    [Fact]
    public void Reserved_resets_are_errors()
    {
        foreach (var type in new ulong[] { 1, 2, 0x7FFF_FFFF })
        {
            Assert.True((long)_machine.Call(Ids.SystemReset2 | Ids.Smc64, type).X0 < 0);
        }
    }

    [Fact]
    public void Protection_of_memory_twice_returns_what_it_was() =>
        Assert.Equal([0ul, 1ul, 1ul, 0ul], new ulong[] { 1, 1, 0, 0 }.Select(enable => _machine.Call(Ids.MemProtect, enable).X0));

    [Fact]
    public void A_core_goes_from_OFF_by_ON_PENDING_and_ON_to_OFF()
    {
        Assert.Equal(1ul, Affinity(1));
        _machine.Call(Ids.CpuOn, 1, Entry);
        Assert.Equal(2ul, Affinity(1));
        _machine.Core(1).Started();
        Assert.Equal(0ul, Affinity(1));
        _machine.Core(1).Call(Ids.CpuOff);
        Assert.Equal(0ul, Affinity(1)); // Linux polls until the core has really stopped
        _machine.Core(1).Stopped();
        Assert.Equal(1ul, Affinity(1));
    }

    [Fact]
    public void Linux_boots()
    {
        var boot = _machine.Core(0).Smc;
        Assert.Equal(Answer.Value(0x1_0003), boot.Call(Ids.PsciVersion));
        Assert.Equal(Answer.Value(2), boot.Call(Ids.MigrateInfoType));
        Assert.Equal(Answer.NotSupported, boot.Call(Ids.PsciFeatures, 0x8000_0000)); // SMCCC_VERSION, which nobody serves here
        Assert.Equal(Answer.Value(1), boot.Call(Ids.PsciFeatures, 0xC400_0001));
        Assert.Equal(Answer.Success, boot.Call(Ids.PsciFeatures, 0xC400_000E));
        Assert.Equal(Answer.Success, boot.Call(Ids.PsciFeatures, 0xC400_0012));
        Assert.Equal(Answer.Value(1), boot.Call(Ids.PsciFeatures, 0xC400_0015));
        Assert.Equal(Answer.Success, boot.Call(Ids.SetSuspendMode, 0));
        for (var core = 1ul; core < 4; core++)
        {
            Assert.Equal(
                Answer.Success with { Then = new Effect.PowerOn(Core(core), Entry, core, -6) },
                boot.Call(Ids.CpuOn | Ids.Smc64, core, Entry, core));
            _machine.Core((int)core).Started();
        }

        Assert.Equal([0ul, 0ul, 0ul, 0ul], Enumerable.Range(0, 4).Select(core => Affinity((ulong)core)));
    }

    private ulong Affinity(ulong core) => _machine.Call(Ids.AffinityInfo | Ids.Smc64, core, 0).X0;
}
