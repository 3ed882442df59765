using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;

namespace Hypercalls.Daemon.Wire;

/// <summary>The messages of one vCPU's stream: exits, and between an exit and its answer what its host is asked for.</summary>
internal sealed class SupplyExchange(Dispatcher dispatcher, TimeProvider clock, IAsyncStreamReader<Protos.VcpuMessage> requests, IServerStreamWriter<Protos.DaemonToVcpu> responses)
{
    /// <summary>A message that was awaited and did not come in time, or came and is none of those awaited.</summary>
    private Task<bool>? _early;

    /// <summary>Waits for the next message that is not a supply for an exit that was given up.</summary>
    /// <returns>False at the end of the stream.</returns>
    public async ValueTask<bool> NextAsync(CancellationToken ended)
    {
        while (true)
        {
            var reading = _early ?? requests.MoveNext(ended);
            _early = null;
            if (!await reading)
            {
                return false;
            }

            if (requests.Current.Supply is null)
            {
                return true;
            }
        }
    }

    /// <summary>Asks the host for what a function lacks, and calls the function again.</summary>
    public async ValueTask<AnsweredExit> AskAsync(Machine machine, CoreSlot core, ExitHead head, UnfinishedCall unfinished, CancellationToken ended)
    {
        if (!unfinished.Call.Machine.Supplies)
        {
            return dispatcher.GoOn(machine, core, head, unfinished, new Continuation.Lacks(unfinished, $"{machine.Host} cannot supply guest memory or registers: it lacks the feature \"supply\""));
        }

        var need = unfinished.Served.Need!;
        await responses.WriteAsync(new() { Need = ToWire.Need(head.ExitId, need) }, ended);
        while (true)
        {
            var reading = requests.MoveNext(ended);
            if (!await ComesWithinAsync(reading, machine.Left(unfinished)))
            {
                _early = reading;
                return machine.TooLate(head, unfinished, "waited for what it asked the host for");
            }

            if (!await reading || requests.Current.Supply is not { } supply)
            {
                // The host has given the exit up: its next one is there already, or the end.
                _early = reading;
                return machine.TooLate(head, unfinished, "was given up by the host, which it had asked for memory or registers");
            }

            if (supply.ExitId == head.ExitId)
            {
                return FromWire.Supply(supply, need) is { } supplied
                    ? dispatcher.GoOn(machine, core, head, unfinished, supplied)
                    : dispatcher.GoOn(machine, core, head, unfinished, new Continuation.Lacks(unfinished, $"{machine.Host} does not supply what the function asks for"));
            }
        }
    }

    private async ValueTask<bool> ComesWithinAsync(Task<bool> reading, TimeSpan left)
    {
        if (reading.IsCompleted)
        {
            return true;
        }

        if (left <= TimeSpan.Zero)
        {
            return false;
        }

        using var late = new CancellationTokenSource();
        var first = await Task.WhenAny(reading, Task.Delay(left, clock, late.Token));
        await late.CancelAsync();
        return first == reading;
    }
}
