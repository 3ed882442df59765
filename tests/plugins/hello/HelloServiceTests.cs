using Hypercalls.Hello;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Hello;

public sealed class HelloServiceTests
{
    private readonly TestMachine _machine = new(cores: 2, new HelloService());

    [Fact]
    public void Tells_its_version() => Assert.Equal(Answer.Value(0x1_0000), _machine.Call(0x8200_0000));

    [Theory]
    [InlineData(0x8200_0001, 2ul, 3ul, 5ul)]
    [InlineData(0x8200_0001, 0xFFFF_FFFFul, 1ul, 0ul)]            // 32 bits
    [InlineData(0xC200_0001, 0xFFFF_FFFFul, 1ul, 0x1_0000_0000ul)] // 64 bits
    [InlineData(0xC200_0001, ulong.MaxValue, 1ul, 0ul)]
    public void Adds(uint id, ulong a, ulong b, ulong sum) => Assert.Equal(Answer.Value(sum), _machine.Call(id, a, b));

    [Fact]
    public void Counts_the_calls_of_all_cores_until_the_reset()
    {
        Assert.Equal(Answer.Value(1), _machine.Core(0).Call(0x8200_0002));
        Assert.Equal(Answer.Value(2), _machine.Core(1).Call(0x8200_0002));
        Assert.Equal(new HelloState { Count = 2 }, _machine.StateOf<HelloState>());

        _machine.Reset();
        Assert.Equal(Answer.Value(1), _machine.Call(0x8200_0002));
    }
}
