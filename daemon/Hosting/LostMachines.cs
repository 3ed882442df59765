using Hypercalls.Daemon.Machines;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Says goodbye to hosts when the daemon stops, and forgets machines whose host does not come back.</summary>
internal sealed class LostMachines(MachineRegistry machines, DaemonOptions options, DaemonLife life, TimeProvider clock, ILogger<LostMachines> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var farewell = life.Stopping.Register(SayGoodbye);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Forget();
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
    }

    private void Forget()
    {
        foreach (var machine in machines.Forget(options.KeepLost))
        {
            Log.Forgotten(log, machine.Name, options.KeepLostSeconds);
        }
    }

    private void SayGoodbye()
    {
        var all = machines.All;
        Log.Stopping(log, all.Count);
        foreach (var machine in all)
        {
            machine.SayGoodbye("The daemon stops.");
        }
    }
}
