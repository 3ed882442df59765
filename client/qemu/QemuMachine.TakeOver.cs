using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Process;
using Hypercalls.Qemu.Vcpus;

namespace Hypercalls.Qemu;

/// <summary>A machine whose host process was killed: everything that is known of it lies in its RAM and in its run folder.</summary>
public sealed partial class QemuMachine
{
    private const int LookMilliseconds = 1;

    private readonly ulong _toldBoot;

    private QemuMachine(QemuRun run, Stream console, Action<string>? log)
    {
        var record = run.Record;
        var undo = new Stack<IDisposable>();
        _isTakenOver = true;
        _version = record.QemuVersion;
        _folder = run.RunFolder;
        _process = run.Process;
        try
        {
            _options = record.ToOptions(_folder.ReadInitrdAppendix()) with { Console = console, Log = log };
            // First: a QEMU whose host was killed while it started waits for these before it opens its RAM.
            undo.Push(_console = new(QemuSocket.Connect(_folder.ConsoleSocket, _process, ConnectPatience), console));
            undo.Push(_door = new(QemuSocket.Connect(_folder.DoorSocket, _process, ConnectPatience)));
            undo.Push(_ram = GuestRam.Open(_folder.FindRam(_process, ConnectPatience), (ulong)record.MemoryMiB << 20));
            _loader = new(_options, _ram);
            if (_loader.Guest != new GuestKind(record.ClientEl, record.GuestIsAArch32))
            {
                throw new HostException($"{record.Kernel} is another kernel than the one that runs: put that one back, since a reset loads it again.");
            }
            _records = new(_ram, record.Cores);
            _powers = new(record.Cores, "QEMU", _records);
            _owed = NewOwed();
            _vcpus = NewVcpus();
            _toldBoot = GoOn();
        }
        catch
        {
            foreach (var made in undo)
            {
                made.Dispose();
            }
            throw;
        }
        run.HandOver();
        _booted.TrySetResult();
        _consoleThread = new(CopyConsole) { IsBackground = true, Name = "guest console" };
        BeginThreads();
    }

    /// <summary>Its guest has run under another host process.</summary>
    public bool IsTakenOver => _isTakenOver;

    /// <summary>What the daemon knew this machine by when its host was killed; empty for none.</summary>
    public ReadOnlyMemory<byte> Token => _records.Area.Token.ToArray();

    /// <summary>Keeps what the daemon knows this machine by, for the host process after this one: before any exit is forwarded.</summary>
    public void KeepToken(ReadOnlySpan<byte> token) => _records.Area.Token = token;

    /// <summary>
    /// Goes on with a run whose host process was killed: what was decided is carried out, and from <see cref="Run"/> on the exits that nobody answered are forwarded once more, under
    /// the numbers they had. What the guest printed meanwhile is lost. Throws <see cref="HostException"/> with a sentence for a person; the run is then as it was.
    /// </summary>
    public static QemuMachine TakeOver(QemuRun run, Stream console, Action<string>? log) => new(run, console, log);

    /// <summary>Finds every core and finishes what was under way; gives back the boot that the daemon knows.</summary>
    private uint GoOn()
    {
        var (boot, found) = LookAtAll();
        var before = _records.Vcpus.Select((records, number) => (Number: number, Latest: records.Latest(boot - 1)))
            .FirstOrDefault(vcpu => vcpu.Latest is { EndsTheBoot: true, Effect: not DecidedEffect.Shutdown });
        var told = _records.Area.ToldBoot;
        var toldLast = told == boot - 1 ? before.Latest : null;
        _powers.TakeOver(boot, [.. found.Select(core => core.ToBefore())], toldLast?.ResetKind ?? ResetKind.Cold, toldLast is null ? null : $"vCPU {before.Number}");
        foreach (var vcpu in _vcpus)
        {
            vcpu.TakeOver(boot, found[vcpu.Number]);
        }
        foreach (var vcpu in _vcpus)
        {
            vcpu.Finish();
        }
        // In the middle of a reset: nothing is loaded yet, or not all.
        _isStartDue = Array.TrueForAll(found, core => core.IsFresh);
        _clearMemory |= _isStartDue && before.Latest?.Effect == DecidedEffect.ResetClear;
        return told == 0 || told > boot ? boot : told;
    }

    /// <summary>Every core at one moment: those on their way out of reset come without a host's help.</summary>
    private (uint Boot, FoundCore[] Cores) LookAtAll()
    {
        var patience = Environment.TickCount64 + (long)BootPatience.TotalMilliseconds;
        var pause = new Signal();
        while (true)
        {
            var boot = _records.Area.Boot;
            FoundCore[] found = [.. _vcpus.Select(vcpu => vcpu.Look(boot)).OfType<FoundCore>()];
            if (found.Length == _vcpus.Length && _records.Area.Boot == boot)
            {
                return (boot, found);
            }
            if (Environment.TickCount64 > patience)
            {
                throw new HostException($"The mailboxes of {_folder.Path} make no sense, and have not for {BootPatience.TotalSeconds:0} s: the guest has written there, or does not come out of reset.");
            }
            pause.Wait(LookMilliseconds);
        }
    }
}
