using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class AnswerTests
{
    [Fact]
    public void The_default_is_NOT_SUPPORTED()
    {
        var answer = default(Answer);
        Assert.Equal((ulong.MaxValue, 0ul, 0ul, 0ul), (answer.X0, answer.X1, answer.X2, answer.X3));
        Assert.Equal(ResultKind.Status, answer.Kind);
        Assert.Null(answer.Then);
        Assert.Equal(Answer.NotSupported, answer);
        Assert.Equal(Answer.Status(-1), answer);
    }

    [Fact]
    public void Compares_whole()
    {
        static Answer Make() => Answer.Success with
        {
            Beyond = [new(4, 1)],
            Writes = [new(0x4000_0000, [1, 2])],
            Then = new Effect.Load { Registers = [new(0, 1)], System = [new(SystemRegister.ElrElc, 2)], Pc = 3, Pstate = Pstate.El1h },
        };

        Assert.Equal(Make(), Make());
        Assert.Equal(Make().GetHashCode(), Make().GetHashCode());
        Assert.NotEqual(Make(), Make() with { Beyond = [new(4, 2)] });
        Assert.NotEqual(Make(), Make() with { Writes = [new(0x4000_0000, [1, 3])] });
        Assert.NotEqual(Answer.Value(0), Answer.Status(0));
    }
}
