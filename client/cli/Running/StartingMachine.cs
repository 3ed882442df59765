using Hypercalls.Hosts;

namespace Hypercalls.Cli.Running;

/// <summary>A machine that comes up while other things are done; disposed of where nobody takes it.</summary>
internal sealed class StartingMachine(Func<IGuestMachine> start) : IAsyncDisposable
{
    private readonly Task<IGuestMachine> _machine = Task.Run(start);
    private bool _isTaken;

    /// <summary>The machine, which is the caller's from now on; waits for it.</summary>
    /// <exception cref="HostException">It does not start.</exception>
    public IGuestMachine Take()
    {
        _isTaken = true;
        return _machine.GetAwaiter().GetResult();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isTaken)
        {
            return;
        }

        // What else went wrong is what is told.
        await ((Task)_machine).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_machine.IsCompletedSuccessfully)
        {
            (await _machine).Dispose();
        }
    }
}
