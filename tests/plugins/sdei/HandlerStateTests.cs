using System.Globalization;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using static Hypercalls.Tests.Sdei.Guest;

namespace Hypercalls.Tests.Sdei;

/// <summary>The event handler state machine, cell by cell (DEN0054, Event handler states): three letters are registered, enabled, running.</summary>
public sealed class HandlerStateTests
{
    private const string NoEvent = "gone";

    private static readonly string[] s_columns =
        ["REGISTER", "ENABLE", "DISABLE", "UNREGISTER", "ROUTING_SET", "RELEASE", "CONTEXT", "COMPLETE", "COMPLETE_AND_RESUME", "dispatch"];

    private readonly TestMachine _machine = Machine();

    private TestCore Core => _machine.Core(0);

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state   REGISTER   ENABLE     DISABLE    UNREGISTER ROUTING_SET RELEASE    CONTEXT     COMPLETE    C&R         dispatch
    [InlineData("000", "0 100",   "-3 000",  "-3 000",  "-3 000",  "-3 000",   "0 gone",  "-3 000",   "-3 000",   "-3 000",   "no 000")]
    [InlineData("001", "-3 001",  "-3 001",  "-3 001",  "-5 001",  "-3 001",   "-3 001",  "258 001",  "load 000", "load 000", "no 001")]
    [InlineData("100", "-3 100",  "0 110",   "0 100",   "0 000",   "0 100",    "-3 100",  "-3 100",   "-3 100",   "-3 100",   "no 100")]
    [InlineData("101", "-3 101",  "0 111",   "0 101",   "-5 001",  "-3 101",   "-3 101",  "258 101",  "load 100", "load 100", "no 101")]
    [InlineData("110", "-3 110",  "0 110",   "0 100",   "0 000",   "-3 110",   "-3 110",  "-3 110",   "-3 110",   "-3 110",   "load 111")]
    [InlineData("111", "-3 111",  "0 111",   "0 101",   "-5 001",  "-3 111",   "-3 111",  "258 111",  "load 110", "load 110", "no 111")]
#pragma warning restore format
    public void Of_a_bound_shared_event(string state, params string[] cells) => Check(() => Core.Binds(Spi), state, cells, (core, number) => core.Attend(Interrupted(), Spi));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state   REGISTER   ENABLE     DISABLE    UNREGISTER ROUTING_SET RELEASE    CONTEXT     COMPLETE    C&R         dispatch
    [InlineData("000", "0 100",   "-3 000",  "-3 000",  "-3 000",  "-2 000",   "0 gone",  "-3 000",   "-3 000",   "-3 000",   "no 000")]
    [InlineData("001", "-3 001",  "-3 001",  "-3 001",  "-5 001",  "-2 001",   "-3 001",  "258 001",  "load 000", "load 000", "no 001")]
    [InlineData("100", "-3 100",  "0 110",   "0 100",   "0 000",   "-2 100",   "-3 100",  "-3 100",   "-3 100",   "-3 100",   "no 100")]
    [InlineData("101", "-3 101",  "0 111",   "0 101",   "-5 001",  "-2 101",   "-3 101",  "258 101",  "load 100", "load 100", "no 101")]
    [InlineData("110", "-3 110",  "0 110",   "0 100",   "0 000",   "-2 110",   "-3 110",  "-3 110",   "-3 110",   "-3 110",   "load 111")]
    [InlineData("111", "-3 111",  "0 111",   "0 101",   "-5 001",  "-2 111",   "-3 111",  "258 111",  "load 110", "load 110", "no 111")]
#pragma warning restore format
    public void Of_a_bound_private_event(string state, params string[] cells) => Check(() => Core.Binds(Ppi), state, cells, (core, number) => core.Attend(Interrupted(), Ppi));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state   REGISTER   ENABLE     DISABLE    UNREGISTER ROUTING_SET RELEASE    CONTEXT     COMPLETE    C&R         dispatch
    [InlineData("000", "0 100",   "-3 000",  "-3 000",  "-3 000",  "-2 000",   "-2 000",  "-3 000",   "-3 000",   "-3 000",   "no 000")]
    [InlineData("001", "-3 001",  "-3 001",  "-3 001",  "-5 001",  "-2 001",   "-2 001",  "258 001",  "load 000", "load 000", "no 001")]
    [InlineData("100", "-3 100",  "0 110",   "0 100",   "0 000",   "-2 100",   "-2 100",  "-3 100",   "-3 100",   "-3 100",   "no 100")]
    [InlineData("101", "-3 101",  "0 111",   "0 101",   "-5 001",  "-2 101",   "-2 101",  "258 101",  "load 100", "load 100", "no 101")]
    [InlineData("110", "-3 110",  "0 110",   "0 100",   "0 000",   "-2 110",   "-2 110",  "-3 110",   "-3 110",   "-3 110",   "load 111")]
    [InlineData("111", "-3 111",  "0 111",   "0 101",   "-5 001",  "-2 111",   "-2 111",  "258 111",  "load 110", "load 110", "no 111")]
#pragma warning restore format
    public void Of_event_0(string state, params string[] cells) => Check(() => 0, state, cells, SignalsItself);

    private static Answer SignalsItself(TestCore core, uint number)
    {
        core.Signals(core);
        return core.Attend(Interrupted());
    }

    private void Check(Func<uint> begin, string state, string[] cells, Func<TestCore, uint, Answer> trigger)
    {
        for (var column = 0; column < s_columns.Length; column++)
        {
            var number = begin();
            Reach(state, number, trigger);
            var result = Do(s_columns[column], number, trigger);
            Assert.Equal((s_columns[column], cells[column]), (s_columns[column], $"{result} {State(number)}"));
            Core.Call(Ids.EventComplete, 0);
            Core.Call(Ids.EventUnregister, number);
            Core.Call(Ids.InterruptRelease, number);
        }
    }

    /// <summary>By calls alone.</summary>
    private void Reach(string state, uint number, Func<TestCore, uint, Answer> trigger)
    {
        Core.Unmasks();
        if (state == "000")
        {
            return;
        }

        Assert.Equal(0, Core.Returns(Ids.EventRegister, number, Entry, Argument, 0, 0));
        if (state != "100")
        {
            Assert.Equal(0, Core.Returns(Ids.EventEnable, number));
        }

        if (state.EndsWith('1'))
        {
            Assert.NotNull(trigger(Core, number).Then);
        }

        if (state == "101")
        {
            Assert.Equal(0, Core.Returns(Ids.EventDisable, number));
        }

        if (state == "001")
        {
            Assert.Equal(-5, Core.Returns(Ids.EventUnregister, number));
        }

        Assert.Equal(state, State(number));
    }

    private string Do(string column, uint number, Func<TestCore, uint, Answer> trigger)
    {
        var answer = column switch
        {
            "REGISTER" => Core.Call(Ids.EventRegister, number, Entry, Argument, 0, 0),
            "ENABLE" => Core.Call(Ids.EventEnable, number),
            "DISABLE" => Core.Call(Ids.EventDisable, number),
            "UNREGISTER" => Core.Call(Ids.EventUnregister, number),
            "ROUTING_SET" => Core.Call(Ids.EventRoutingSet, number, 1, 0),
            "RELEASE" => Core.Call(Ids.InterruptRelease, number),
            "CONTEXT" => Core.Call(Ids.EventContext, 2),
            "COMPLETE" => Core.Call(Ids.EventComplete, 0),
            "COMPLETE_AND_RESUME" => Core.Call(Ids.EventCompleteAndResume, Entry),
            _ => trigger(Core, number),
        };
        return answer.Kind != ResultKind.None ? ((long)answer.X0).ToString(CultureInfo.InvariantCulture) : answer.Then is Effect.Load ? "load" : "no";
    }

    private string State(uint number) => Core.Status(number) switch
    {
        -2 => NoEvent,
        var status => $"{status & 1}{status >> 1 & 1}{status >> 2 & 1}",
    };
}
