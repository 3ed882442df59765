using Hypercalls.Daemon.Machines;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Says goodbye to hosts when the daemon stops, forgets machines whose host does not come back, and frees those whose service does not.</summary>
internal sealed class LostMachines(MachineRegistry machines, DaemonOptions options, DaemonLife life, TimeProvider clock, ILogger<LostMachines> log) : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var farewell = life.Stopping.Register(SayGoodbye);
        // A service that is seen in the same call twice is past its deadline.
        using var timer = new PeriodicTimer(options.Deadline < s_look ? s_look : options.Deadline, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                Forget();
                Relieve();
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

    private void Relieve()
    {
        foreach (var machine in machines.All.Where(machine => machine.IsInService))
        {
            // Elsewhere: what it goes on with may hang too.
            _ = Task.Run(machine.Relieve);
        }
    }

    private void SayGoodbye()
    {
        var all = machines.All;
        Log.Stopping(log, all.Count);
        foreach (var machine in all)
        {
            machine.Dismiss(new("The daemon stops."));
        }
    }
}
