using Hypercalls.Bench.Hosts;
using Hypercalls.Bench.InProcess;
using Hypercalls.Bench.Processes;
using Hypercalls.Daemon.Hosting;
using Hypercalls.Daemon.Wire;
using Hypercalls.Grpc;
using Microsoft.Extensions.DependencyInjection;

namespace Hypercalls.Bench.Rows;

/// <summary>What a call costs inside the daemon, on one thread and without sockets: a daemon in this process.</summary>
internal static class Dispatching
{
    private const double StatelessAtMost = 300;
    private const double ChangingAtMost = 1000;

    public static void Measure(Run run)
    {
        run.Say("dispatch");
        var folder = Directory.CreateTempSubdirectory("hypercalls-bench-").FullName;
        try
        {
            MeasureAsync(run, Path.Combine(folder, "daemon.sock")).GetAwaiter().GetResult();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(Run run, string socket)
    {
        // What it logs is nobody's concern here.
        Environment.SetEnvironmentVariable("Logging__LogLevel__Hypercalls", "Warning");
        await using var app = DaemonHost.Build(options => (options.Socket, options.Plugins) = (socket, Built.Plugins));
        await app.StartAsync();
        using (var machine = AttachedMachine.Attach(GrpcAddress.Unix(socket), 1))
        {
            var service = BatchCost.Of(new ServiceBatch(app.Services), run.Times);
            var dispatch = BatchCost.Of(DispatchBatch.Stateless(app.Services), run.Times);
            var changing = BatchCost.Of(DispatchBatch.Changing(app.Services), run.Times);
            var protobuf = BatchCost.Of(new ProtobufBatch(), run.Times);
            var stream = BatchCost.Of(new StreamBatch(app.Services.GetRequiredService<VcpuStream>(), machine.Token), run.Times);
            Add(run, "dispatch: clock, randomness, turn, service, no state", dispatch, service, "service alone", StatelessAtMost, 0);
            Add(run, "dispatch with another state after each call", changing, service, "service alone", ChangingAtMost);
            Add(run, "exit message to answer message", stream, protobuf, "protobuf alone");
        }

        await app.StopAsync();
    }

    private static void Add(Run run, string what, BatchCost cost, BatchCost limit, string limitIs, double? atMost = null, double? bytesAtMost = null) => run.Add(
        new Figure("dispatch", what, cost.Nanoseconds, Unit.Nanoseconds) { Limit = new(limit.Nanoseconds, limitIs), AtMost = atMost },
        new Figure("dispatch", $"{what}: allocated", cost.Bytes, Unit.Bytes) { Limit = new(limit.Bytes, limitIs), AtMost = bytesAtMost });
}
