using Hypercalls.Hosts;

namespace Hypercalls.Qemu.Process;

/// <summary>
/// The private folders of one run: sockets, monitor and what a next host process needs in one, guest RAM on tmpfs where there is room. Both go when the run ends.
/// Whoever holds this holds the folder's lock.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string Prefix = "hypercalls-";
    private const string RamName = "ram";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const int RetryMilliseconds = 10;

    // A socket's path has 107 bytes; the longest name in the folder is "console.sock".
    private const int LongestPath = 107 - 13;

    private readonly string? _memoryFolder;
    private readonly FileStream _lock;

    private RunFolder(string path, string? memoryFolder, FileStream hostLock)
    {
        Path = path;
        _memoryFolder = memoryFolder;
        _lock = hostLock;
    }

    public string Path { get; }

    public string RamFile => System.IO.Path.Combine(_memoryFolder ?? Path, RamName);

    public string MonitorFile => In("monitor.bin");

    public string ConsoleSocket => In("console.sock");

    public string DoorSocket => In("door.sock");

    /// <summary>Where folders of runs are made.</summary>
    public static IEnumerable<string> Parents =>
        ((string?[])[Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), System.IO.Path.GetTempPath()]).OfType<string>().Where(Directory.Exists).Select(System.IO.Path.GetFullPath).Distinct();

    /// <summary>Folders that may be those of runs.</summary>
    public static IEnumerable<string> Candidates =>
        Parents.SelectMany(parent => Directory.EnumerateDirectories(parent, $"{Prefix}*")).Where(folder => File.Exists(RecordIn(folder)));

    public static RunFolder Create(ulong ramSize)
    {
        var path = CreatePrivate(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")) ?? Directory.CreateTempSubdirectory(Prefix).FullName;
        if (path.Length > LongestPath)
        {
            Directory.Delete(path);
            throw new HostException($"The run folder {path} is too long for a socket's path: set TMPDIR or XDG_RUNTIME_DIR to a shorter one.");
        }
        return new(path, HasRoom("/dev/shm", ramSize) ? CreatePrivate("/dev/shm") : null, Lock(path)!);
    }

    /// <summary>Opens that of a run whose host process is gone. Throws <see cref="HostException"/> with a sentence for a person.</summary>
    public static RunFolder Open(string path, out RunRecord record)
    {
        if (OperatingSystem.IsWindows() || !Directory.Exists("/proc/self/fd"))
        {
            throw new HostException("A run can be taken over on Linux alone: guest RAM, which has no name any more, is found in /proc.");
        }
        path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (new DirectoryInfo(path) is var folder && (!folder.Exists || folder.LinkTarget is not null))
        {
            throw Bad($"{path} is {(folder.Exists ? "a link" : "no folder")}: name the folder of a run itself.");
        }
        if (Protos.LocalSocket.FolderFault(path) is { } fault)
        {
            throw Bad(fault);
        }
        if (new FileInfo(RecordIn(path)) is var file && (!file.Exists || file.LinkTarget is not null || file.UnixFileMode != PrivateFile))
        {
            throw Bad(file.Exists ? $"{file.FullName} is not a file of mode 0600, as a host leaves it." : $"{path} is no run: it has no {file.Name}.");
        }
        var hostLock = Lock(path) ?? throw new HostException($"The host process of {path} lives: a run has one at a time.") { IsBadInput = true };
        if (!RunRecord.TryParse(File.ReadAllBytes(file.FullName), out record, out var wrong))
        {
            hostLock.Dispose();
            throw Bad($"{file.FullName} cannot be used: {wrong}.");
        }
        var memoryFolder = System.IO.Path.GetDirectoryName(record.RamFile) ?? "";
        if (System.IO.Path.GetFileName(record.RamFile) != RamName || !System.IO.Path.GetFileName(memoryFolder).StartsWith(Prefix, StringComparison.Ordinal))
        {
            hostLock.Dispose();
            throw Bad($"{file.FullName} cannot be used: {record.RamFile} is no RAM file of a run.");
        }
        return new(path, memoryFolder == path ? null : memoryFolder, hostLock);
    }

    /// <summary>Keeps what a next host process needs.</summary>
    public void Keep(RunRecord record, ReadOnlySpan<byte> initrdAppendix)
    {
        WritePrivate(In("initrd-appendix"), initrdAppendix);
        // Under its name it is complete.
        WritePrivate(In("run.json.new"), record.ToBytes());
        File.Move(In("run.json.new"), RecordIn(Path));
    }

    public byte[] ReadInitrdAppendix() => File.ReadAllBytes(In("initrd-appendix"));

    /// <summary>The RAM file among those that QEMU has open: by now it may have no name of its own. A QEMU that has only just started is waited for.</summary>
    public string FindRam(QemuProcess qemu, TimeSpan patience)
    {
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (true)
        {
            if (FindRam(qemu.Id) is { } file)
            {
                return file;
            }
            if (qemu.WaitForExit(RetryMilliseconds) || Environment.TickCount64 > deadline)
            {
                throw new HostException($"Process {qemu.Id} is no QEMU of {Path}: it has not the machine's RAM open.");
            }
        }
    }

    private string? FindRam(int qemu)
    {
        // The folder's name is random; what stands before it may have been a link.
        var name = System.IO.Path.Combine(System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(RamFile)!), RamName);
        try
        {
            foreach (var file in Directory.EnumerateFiles(System.IO.Path.Combine("/proc", qemu.ToString(System.Globalization.CultureInfo.InvariantCulture), "fd")))
            {
                var target = new FileInfo(file).LinkTarget ?? "";
                if (target.EndsWith($"/{name}", StringComparison.Ordinal) || target.EndsWith($"/{name} (deleted)", StringComparison.Ordinal))
                {
                    return file;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new HostException($"The files of process {qemu} cannot be looked at: {e.Message}", e);
        }
        return null;
    }

    /// <summary>The RAM file's name is needed only until QEMU has mapped it; without it nothing remains of a run that is killed.</summary>
    public void ForgetMemory()
    {
        if (File.Exists(RamFile))
        {
            File.Delete(RamFile);
        }
        if (_memoryFolder is not null && Directory.Exists(_memoryFolder))
        {
            Directory.Delete(_memoryFolder);
        }
    }

    /// <summary>Leaves everything as it is for another host process.</summary>
    public void Leave() => _lock.Dispose();

    public void Dispose()
    {
        ForgetMemory();
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
        _lock.Dispose();
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private static string RecordIn(string folder) => System.IO.Path.Combine(folder, "run.json");

    private static HostException Bad(string sentence) => new(sentence) { IsBadInput = true };

    /// <summary>Null when another process holds it; it lets go when it ends, however it does.</summary>
    private static FileStream? Lock(string folder)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = PrivateFile;
            }
            return new(System.IO.Path.Combine(folder, "host.lock"), options);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void WritePrivate(string path, ReadOnlySpan<byte> bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = PrivateFile;
        }
        using var file = new FileStream(path, options);
        file.Write(bytes);
    }

    private static string? CreatePrivate(string? parent)
    {
        if (OperatingSystem.IsWindows() || string.IsNullOrEmpty(parent) || !Directory.Exists(parent))
        {
            return null;
        }
        // The name is random and long: nobody can have made it before.
        var path = System.IO.Path.Combine(parent, $"{Prefix}{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(path, Private);
            return path;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool HasRoom(string folder, ulong size)
    {
        const ulong Margin = 64 << 20;
        try
        {
            return Directory.Exists(folder) && (ulong)new DriveInfo(folder).AvailableFreeSpace >= size + Margin;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
