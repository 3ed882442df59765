using Hypercalls.Hosts;
using Hypercalls.Qemu.Process;

namespace Hypercalls.Qemu;

/// <summary>A run whose host process was killed and whose QEMU lives, held so that nobody else takes it over; disposing lets go of it and changes nothing.</summary>
public sealed class QemuRun : IDisposable
{
    private bool _isHeld = true;

    private QemuRun(RunFolder folder, RunRecord record, QemuProcess process)
    {
        (RunFolder, Record, Process) = (folder, record, process);
    }

    /// <summary>Its folder.</summary>
    public string Folder => RunFolder.Path;

    /// <summary>What its owner kept: <see cref="QemuOptions.Kept"/>.</summary>
    public IReadOnlyDictionary<string, string> Kept => Record.Kept;

    /// <summary>When it was started.</summary>
    public DateTimeOffset Started => Record.Started;

    /// <summary>The process of its QEMU.</summary>
    public int QemuProcess => Record.QemuProcess;

    internal RunFolder RunFolder { get; }

    internal RunRecord Record { get; }

    internal QemuProcess Process { get; }

    /// <summary>Opens a run folder. Throws <see cref="HostException"/> with a sentence for a person: its host lives, its QEMU has ended, it is no run folder of this user.</summary>
    public static QemuRun Open(string folder)
    {
        var opened = RunFolder.Open(folder, out var record);
        if (Qemu.Process.QemuProcess.Find(record.QemuProcess, record.QemuStarted) is { } process)
        {
            return new(opened, record, process);
        }
        // What is left of it is of no use to anybody.
        opened.Dispose();
        throw new HostException($"The QEMU of {opened.Path} has ended: there is nothing left to take over.");
    }

    /// <summary>Those that can be taken over now, the oldest first; to be disposed of, each.</summary>
    public static IReadOnlyList<QemuRun> All()
    {
        var runs = new List<QemuRun>();
        foreach (var folder in RunFolder.Candidates)
        {
            try
            {
                runs.Add(Open(folder));
            }
            catch (Exception e) when (e is HostException or IOException or UnauthorizedAccessException)
            {
                // Another user's, a live host's, or the remains of a run.
            }
        }
        return [.. runs.OrderBy(run => run.Started)];
    }

    /// <summary>The machine has it now.</summary>
    internal void HandOver() => _isHeld = false;

    public void Dispose()
    {
        if (_isHeld)
        {
            _isHeld = false;
            RunFolder.Leave();
            Process.Dispose();
        }
    }
}
