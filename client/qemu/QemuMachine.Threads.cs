using Hypercalls.Hosts;

namespace Hypercalls.Qemu;

/// <summary>What goes on beside the vCPUs: console, door, and the end of QEMU.</summary>
public sealed partial class QemuMachine
{
    private void BeginThreads()
    {
        _consoleThread.Start();
        new Thread(() => _door.Listen(Rung)) { IsBackground = true, Name = "door" }.Start();
        _ = WatchAsync();
    }

    private void BeginVcpus()
    {
        foreach (var vcpu in _vcpus)
        {
            vcpu.Begin();
        }
    }

    private void Rung(byte number)
    {
        if (number < _vcpus.Length)
        {
            _vcpus[number].Nudge();
        }
    }

    private void CopyConsole()
    {
        try
        {
            _console.Copy();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            End(new MachineEnd.Failed($"The guest's console cannot be written: {e.Message}"));
        }
    }

    private async Task WatchAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        if (_end.Task.IsCompleted)
        {
            return;
        }
        End(_poweringOff
            ? new MachineEnd.PoweredOff()
            : new MachineEnd.Failed($"QEMU ended by itself{_process.ExitCode}. {_process.Errors}".Trim()));
    }

    // The monitor has been told; a QEMU that does not end all the same is ended.
    private async Task EndLateAsync()
    {
        await Task.WhenAny(_end.Task, Task.Delay(EndPatience)).ConfigureAwait(false);
        if (!_end.Task.IsCompleted)
        {
            _process.Kill();
        }
    }
}
