using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>The cases of tf-a-tests' SDEI suite that do not depend on its platform, on an interrupt's shared event.</summary>
public sealed class ConformanceTests
{
    private readonly TestMachine _machine = Machine(new() { Minor = 0, Events = Events, Cores = [0, 1, 2, 3] });

    private TestCore Core => _machine.Core(0);

    [Fact]
    public void Unregistered()
    {
        var spi = Core.Binds(Spi);
        Assert.Equal(0, Core.Status(spi));
        foreach (var (id, x1, x2) in new (uint, ulong, ulong)[]
        {
            (Ids.EventEnable, spi, 0), (Ids.EventDisable, spi, 0), (Ids.EventUnregister, spi, 0), (Ids.EventRoutingSet, spi, 1),
            (Ids.EventContext, 0, 0), (Ids.EventComplete, 0, 0), (Ids.EventCompleteAndResume, 0, 0),
        })
        {
            Assert.Equal(-3, Core.Returns(id, x1, x2, 0));
        }

        Assert.Equal(Answer.Success with { ReturnedInterrupts = [Spi] }, Core.Call(Ids.InterruptRelease, spi));
    }

    [Fact]
    public void Registered()
    {
        var spi = Core.Binds(Spi);
        Assert.Equal(0, Core.Returns(Ids.EventRegister, spi, Entry, Argument, 0, 0));
        Assert.Equal(1, Core.Status(spi));
        foreach (var (id, x1) in new (uint, ulong)[]
        {
            (Ids.InterruptRelease, spi), (Ids.EventContext, 0), (Ids.EventComplete, 0), (Ids.EventCompleteAndResume, 0),
        })
        {
            Assert.Equal(-3, Core.Returns(id, x1));
        }

        Assert.Equal(-3, Core.Returns(Ids.EventRegister, spi, Entry, Argument, 0, 0));
        Assert.Equal(0, Core.Returns(Ids.EventUnregister, spi));
    }

    [Fact]
    public void Enabled()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        Assert.Equal(3, Core.Status(spi));
        Assert.Equal(-3, Core.Returns(Ids.EventRegister, spi, Entry, Argument, 0, 0));
        Assert.Equal(0, Core.Returns(Ids.EventDisable, spi));
        Assert.Equal(1, Core.Status(spi));
        Assert.Equal(0, Core.Returns(Ids.EventUnregister, spi));
        Assert.Equal(0, Core.Status(spi));
    }

    [Fact]
    public void More_interrupts_than_slots_are_an_error_and_SPIs_are_no_PPIs()
    {
        var results = Enumerable.Range(20, 12).Select(intid => (long)Core.Call(Ids.InterruptBind, (ulong)intid).X0).ToArray();
        Assert.Equal([0x4010_0000, 0x4010_0001, 0x4010_0002], results[..3]);
        Assert.All(results[3..], x0 => Assert.Equal(-10, x0));
        Assert.Equal(0x4020_0000u, Core.Binds(Spi));
    }

    [Fact]
    public void Signals_in_series()
    {
        Core.Listens(0);
        Core.Unmasks();
        for (var i = 0; i < 100; i++)
        {
            Core.Signals(Core);
            Assert.Equal(0, (int)Core.Enters(0).Registers[0].Value);
            Core.Completes();
            Assert.False(Core.WantsAttention);
        }
    }

    [Fact]
    public void Signals_to_all_the_others()
    {
        var others = Enumerable.Range(1, 3).Select(_machine.Core).ToArray();
        foreach (var other in others)
        {
            other.Listens(0, entry: Entry + 4 * other.Mpidr.Value);
            other.Unmasks();
        }

        foreach (var other in others)
        {
            Core.Signals(other);
        }

        Assert.False(Core.WantsAttention);
        foreach (var other in others)
        {
            Assert.Equal(Entry + 4 * other.Mpidr.Value, other.Enters(0).Pc);
        }

        foreach (var other in others)
        {
            other.Completes();
            Assert.Equal(3, other.Status(0));
        }
    }

    [Fact]
    public void An_RM_ANY_event_comes_to_several_cores_one_after_the_other()
    {
        var spi = Core.Binds(Spi);
        Core.Listens(spi);
        foreach (var i in new[] { 3, 1, 2 })
        {
            _machine.Core(i).Unmasks();
            Core.Attend(Interrupted(), Spi);
            Assert.Equal(i, Enumerable.Range(0, 4).Single(pe => _machine.Core(pe).WantsAttention));
            _machine.Core(i).Enters(spi);
            Assert.Equal([Spi], _machine.Core(i).Call(Ids.EventComplete, 0).EndedInterrupts);
            _machine.Core(i).Returns(Ids.PeMask);
        }
    }
}
