using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Hypercalls.Hosts;

namespace Hypercalls.Qemu.Process;

/// <summary>The QEMU that runs the guest: stock, without any knowledge of hypercalls.</summary>
internal sealed class QemuProcess : IDisposable
{
    private const int ErrorsKept = 8192;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly System.Diagnostics.Process _process;
    private readonly bool _isChild;
    private readonly StringBuilder _errors = new();
    private Task? _gone;

    private QemuProcess(System.Diagnostics.Process process, bool isChild)
    {
        _process = process;
        _isChild = isChild;
        Id = process.Id;
        process.ErrorDataReceived += (_, line) => AddError(line.Data);
        process.OutputDataReceived += (_, line) => AddError(line.Data);
    }

    public int Id { get; }

    /// <summary>As <see cref="ProcessStart"/> tells it.</summary>
    public ulong Started { get; private init; }

    /// <summary>What QEMU has written to its error stream, at most its beginning.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString().Trim();
            }
        }
    }

    /// <summary>" with code 1"; of another process's child nobody can know it.</summary>
    public string ExitCode => _isChild ? string.Create(CultureInfo.InvariantCulture, $" with code {_process.ExitCode}") : "";

    /// <summary>One that another host process started; null when it has ended.</summary>
    public static QemuProcess? Find(int id, ulong started)
    {
        try
        {
            var process = System.Diagnostics.Process.GetProcessById(id);
            return started != 0 && ProcessStart.Of(id) == started ? new(process, isChild: false) { Started = started } : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    public static QemuProcess Start(QemuOptions options, GuestKind guest, string version, RunFolder folder, string ramFile)
    {
        var started = new System.Diagnostics.Process { StartInfo = StartInfo(options.QemuPath, Arguments(options, guest, version, folder, ramFile)) };
        try
        {
            started.Start();
        }
        catch (Win32Exception e)
        {
            started.Dispose();
            throw Missing(options.QemuPath, e);
        }
        var process = new QemuProcess(started, isChild: true) { Started = ProcessStart.Of(started.Id) };
        started.StandardInput.Close();
        started.BeginErrorReadLine();
        started.BeginOutputReadLine();
        return process;
    }

    /// <summary>"7.2.22", or "unknown" where QEMU says something else.</summary>
    public static string Version(string qemuPath)
    {
        using var process = new System.Diagnostics.Process { StartInfo = StartInfo(qemuPath, ["--version"]) };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw Missing(qemuPath, e);
        }
        process.StandardInput.Close();
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        // QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)
        var words = process.StandardOutput.ReadToEnd().Split((char[])[' ', '\n'], 6);
        process.WaitForExit();
        return words.Length > 3 && words[2] == "version" ? words[3] : "unknown";
    }

    /// <summary>Waits for the end, at most this long in milliseconds; true when it has come.</summary>
    public bool WaitForExit(int milliseconds)
    {
        if (!_isChild)
        {
            return WaitForExitAsync().Wait(milliseconds);
        }
        if (!_process.WaitForExit(milliseconds))
        {
            return false;
        }
        // Only this one waits for the last words too.
        _process.WaitForExit();
        return true;
    }

    public Task WaitForExitAsync() => _isChild ? _process.WaitForExitAsync() : _gone ??= AwaitGoneAsync();

    public void Kill()
    {
        try
        {
            if (_isChild || ProcessStart.Of(Id) == Started)
            {
                _process.Kill();
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself meanwhile.
        }
    }

    public void Dispose() => _process.Dispose();

    // Only a parent is told; and where its new parent does not wait for it, it stays a zombie, which .NET takes for a live process.
    private async Task AwaitGoneAsync()
    {
        using var timer = new PeriodicTimer(Look);
        while (ProcessStart.Of(Id) == Started)
        {
            await timer.WaitForNextTickAsync().ConfigureAwait(false);
        }
    }

    private static HostException Missing(string path, Win32Exception e) =>
        new($"{path} cannot be started ({e.Message}). Install it, on Debian: apt-get install qemu-system-arm.", e);

    private static ProcessStartInfo StartInfo(string path, IEnumerable<string> arguments) => new(path, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };

    private static IEnumerable<string> Arguments(QemuOptions options, GuestKind guest, string version, RunFolder folder, string ramFile) =>
    [
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none",
        "-machine", $"{options.Machine},secure=on,virtualization=on,gic-version=3,memory-backend=ram{Highmem(options, guest)}",
        "-cpu", CpuModel(options.Cpu, version),
        "-smp", Smp(options.Cores),
        "-m", string.Create(CultureInfo.InvariantCulture, $"{options.MemoryMiB}M"),
        "-accel", "tcg,thread=multi",
        "-object", string.Create(CultureInfo.InvariantCulture, $"memory-backend-file,id=ram,size={options.MemoryMiB}M,mem-path={Escape(ramFile)},share=on"),
        "-bios", folder.MonitorFile,
        "-chardev", $"socket,id=console,path={Escape(folder.ConsoleSocket)},server=on,wait=on",
        "-serial", "chardev:console",
        "-chardev", $"socket,id=door,path={Escape(folder.DoorSocket)},server=on,wait=on",
        "-serial", "chardev:door",
        .. options.ExtraArguments,
    ];

    /// <summary>The algorithm of max's pointer authentication costs more than all the rest; since 6.0 QEMU has a quicker one.</summary>
    public static string CpuModel(string cpu, string version) =>
        cpu == "max" && int.TryParse(version.Split('.')[0], CultureInfo.InvariantCulture, out var major) && major >= 6 ? "max,pauth-impdef=on" : cpu;

    /// <summary>Always with room for a second CPU, which no guest sees: without it QEMU 7.2 leaves the monitor's barriers out, and an answer finds it neither awake nor asleep.</summary>
    public static string Smp(int cores) => string.Create(CultureInfo.InvariantCulture, $"{cores},maxcpus={Math.Max(cores, 2)}");

    // PCI's configuration space below 4 GiB, where AArch32 reaches it, unless RAM itself goes further.
    private static string Highmem(QemuOptions options, GuestKind guest) => guest.IsAArch32 && options.MemoryMiB <= 3 << 10 ? ",highmem=off" : "";

    // QEMU's option syntax: a comma in a value is doubled.
    private static string Escape(string value) => value.Replace(",", ",,", StringComparison.Ordinal);

    private void AddError(string? line)
    {
        // QEMU announces each socket it waits on.
        if (line is null || line.Contains("info: QEMU waiting for connection", StringComparison.Ordinal))
        {
            return;
        }
        lock (_errors)
        {
            if (_errors.Length < ErrorsKept)
            {
                _errors.AppendLine(line);
            }
        }
    }
}
