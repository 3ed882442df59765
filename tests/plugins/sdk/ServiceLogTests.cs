using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>What a service writes for the operator has machine, core and function beside it.</summary>
public sealed class ServiceLogTests
{
    private readonly TestLog _log = new();

    [Fact]
    public void Each_line_says_where_it_was_written()
    {
        var machine = new TestMachine(2, new Talker(_log));
        machine.Core(1).Call(0xC300_0000);
        machine.Core(1).Attend(new() { X = [.. new ulong[31]] });
        machine.Core(0).Call(0xC300_0001);
        machine.Reset(ResetKind.Warm);
        Mpidr first = machine.Core(0).Mpidr, second = machine.Core(1).Mpidr;
        Assert.Equal(
            [
                new(ServiceLogLevel.Information, "made", "", "", null, ""),
                new(ServiceLogLevel.Debug, "called", "TALKER", "test", second, "TALK"),
                new(ServiceLogLevel.Warning, "stopped", "TALKER", "test", second, "attention"),
                new(ServiceLogLevel.Information, "works", "TALKER", "test", first, "WORK"),
                new(ServiceLogLevel.Information, "ends", "TALKER", "test", first, "WORK"),
                new(ServiceLogLevel.Information, "reset", "TALKER", "test", null, "reset"),
            ],
            _log.Entries);
    }

    [Fact]
    public void A_line_cannot_steer_a_terminal() => Assert.Equal(
        "core 0.0.0.1, TALK: \uFFFD[31mred\uFFFD\uFFFD",
        new ServiceLogEntry(ServiceLogLevel.Debug, "\u001B[31mred\n\u2028", "TALKER", "test", Mpidr.FromRegister(1), "TALK").ToString());

    private sealed class Talker : Service<TableState>, IResets<TableState>, IAttention<TableState>
    {
        private readonly IServiceLog _log;

        public Talker(IServiceLog log)
        {
            _log = log;
            _log.Information("made");
            Functions = new()
            {
                { 0xC300_0000, "TALK", (in _, state) =>
                    {
                        _log.Debug("called");
                        return Answer.Success;
                    }
                },
                { 0xC300_0001, "WORK", (in _, state) => new Work<TableState>(_ =>
                    {
                        _log.Information("works");
                        return _ =>
                        {
                            _log.Information("ends");
                            return Answer.Success;
                        };
                    })
                },
            };
        }

        public override string Name => "TALKER";

        public override string Version => "0";

        public override FunctionTable<TableState> Functions { get; }

        public TableState Reset(TableState state, ResetKind kind, MachineDescription machine)
        {
            _log.Information("reset");
            return state;
        }

        public bool WantsAttention(TableState state, Mpidr core) => true;

        public Outcome<TableState> Attend(TableState state, AttentionExit stopped)
        {
            _log.Warning("stopped");
            return Answer.NoResults;
        }

        public TableState NotApplied(TableState state, AttentionExit stopped, in Answer answer) => state;
    }
}
