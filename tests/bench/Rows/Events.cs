using System.Diagnostics;
using Hypercalls.Bench.Guests;
using Hypercalls.Bench.Load;
using Hypercalls.Bench.Processes;
using Hypercalls.Grpc;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Rows;

/// <summary>From the operator's `raise`, and from another core's EVENT_SIGNAL, to the first instruction of the guest's handler (tests/Guest/sdei_latency.c).</summary>
internal static class Events
{
    private const ulong Raised = 0x4000_0001;
    private const double MicrosecondsAtMost = 250;
    private const double TimesAtMost = 2.5;
    private static readonly TimeSpan s_apart = TimeSpan.FromMilliseconds(1);

    public static void Measure(Run run)
    {
        var stream = run.Stream(1);
        Measure(run, stream, "busy", isAsleep: false);
        Measure(run, stream, "in WFI", isAsleep: true);
    }

    private static void Measure(Run run, LoadResult stream, string core, bool isAsleep)
    {
        // Those before are for the compilers on the way.
        var (warmUp, count) = run.IsQuick ? (100, 200) : (1_000, 2_000);
        var folder = Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;
        try
        {
            run.Say($"events, core {core}");
            var kernel = GuestImage.Build(folder, "sdei_latency", $"-DRAISES={warmUp + count} -DSIGNALS={warmUp + count}{(isAsleep ? " -DASLEEP" : "")}");
            using var daemon = DaemonProcess.Start(settings: ["--set", $$"""SDEI.events=[{ "number": "0x{{Raised:X}}", "type": "private" }]"""]);
            using var channel = HttpChannel.ForAddress(daemon.Address);
            using var guest = GuestMachine.Start(daemon.Address, kernel, cores: 2);
            var asleepAt = guest.Next(What.Ready).A;
            var events = new Operator.OperatorClient(channel.CreateCallInvoker());
            List<(long Ticks, ulong Pc)> stops = [];
            List<(long Began, Told Told)> raises = [];
            for (var n = 0; n < warmUp + count; n++)
            {
                // In turns: what else runs here is in both. And apart, so that nothing of before is still under way.
                Thread.Sleep(s_apart);
                stops.Add(guest.Ring());
                Thread.Sleep(s_apart);
                raises.Add(Raise(events, guest));
            }

            List<Told> signals = [.. Enumerable.Range(0, warmUp + count).Select(_ => guest.Next(What.Handled, What.HandledElsewhere))];
            var stopped = Spread.Of(stops.Skip(warmUp).Where(stop => !isAsleep || stop.Pc == asleepAt).Select(stop => stop.Ticks), count);
            var raised = Spread.Of(raises.Skip(warmUp).Where(raise => raise.Told.What == What.Handled).Select(raise => guest.Clock.Here(raise.Told.B) - raise.Began), count);
            var signalled = Spread.Of(signals.Skip(warmUp).Where(signal => signal.What == What.Handled).Select(signal => guest.Clock.Ticks(signal.B) - guest.Clock.Ticks(signal.A)), count);
            run.Add(
                new Figure("sdei", $"doorbell to exit, core {core}: p50", stopped.P50, Unit.Microseconds),
                new Figure("sdei", $"doorbell to exit, core {core}: p99", stopped.P99, Unit.Microseconds),
                new Figure("sdei", $"the clock of a raise, core {core}: known to ±", guest.Clock.Uncertainty, Unit.Microseconds));
            Add(run, $"raise to handler, core {core}", raised, stopped, stream, isAsleep);
            Add(run, $"signal to handler, core {core}", signalled, stopped, stream, isAsleep);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (long Began, Told Told) Raise(Operator.OperatorClient events, GuestMachine guest)
    {
        var began = Stopwatch.GetTimestamp();
        var reply = events.Raise(new() { Machine = GuestMachine.Name, Event = Raised, Core = guest.BootCore });
        return reply.Result == RaiseResult.Delivered
            ? (began, guest.Next(What.Handled, What.HandledElsewhere))
            : throw new BenchException($"The event is not delivered: {reply.Text}");
    }

    private static void Add(Run run, string what, Spread taken, Spread stopped, LoadResult stream, bool isAsleep)
    {
        const string parts = "doorbell + stream, 1 caller";
        var (p50, p99) = (stopped.P50 + stream.P50, stopped.P99 + stream.P99);
        run.Add(
            new Figure("sdei", $"{what}: p50", taken.P50, Unit.Microseconds) { Limit = new(p50, parts), AtMost = isAsleep ? null : MicrosecondsAtMost },
            new Figure("sdei", $"{what}: p99", taken.P99, Unit.Microseconds) { Limit = new(p99, parts) },
            new Figure("sdei", $"{what}: p50 beside that sum", taken.P50 / p50, Unit.Times) { AtMost = isAsleep ? null : TimesAtMost });
    }

    /// <summary>In microseconds.</summary>
    private readonly record struct Spread(double P50, double P99)
    {
        /// <summary>Of those whose core was where it is meant to be: most.</summary>
        public static Spread Of(IEnumerable<long> ticks, int made)
        {
            long[] sorted = [.. ticks.Order()];
            return sorted.Length >= made / 2
                ? new(Timings.Percentile(sorted, 50), Timings.Percentile(sorted, 99))
                : throw new BenchException($"Of {made} events only {sorted.Length} came upon a core in WFI.");
        }
    }
}
