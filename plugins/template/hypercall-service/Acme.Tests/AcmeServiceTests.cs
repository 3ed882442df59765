using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Acme.Tests;

public sealed class AcmeServiceTests
{
    [Fact]
    public void Adds_two_numbers()
    {
        var machine = new TestMachine(new AcmeService(new()));
        Assert.Equal(Answer.Value(42), machine.Call(0xC200_0101, 40, 2));
    }

    [Fact]
    public void Counts_the_calls_of_all_cores_in_steps_of_the_settings()
    {
        var machine = new TestMachine(cores: 2, new AcmeService(new() { Step = 10 }));
        Assert.Equal(Answer.Value(10), machine.Call(0xC200_0102));
        Assert.Equal(Answer.Value(20), machine.Core(1).Call(0xC200_0102));
    }

    [Fact]
    public void Counts_anew_after_a_reset()
    {
        var machine = new TestMachine(new AcmeService(new()));
        Assert.Equal(Answer.Value(1), machine.Call(0xC200_0102));
        machine.Reset();
        Assert.Equal(Answer.Value(1), machine.Call(0xC200_0102));
    }
}
