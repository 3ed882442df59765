namespace Hypercalls.Qemu.Process;

/// <summary>The private folders of one run: sockets and monitor in one, guest RAM on tmpfs where there is room. Both go when the run ends.</summary>
internal sealed class RunFolder : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // A socket's path has 107 bytes; the longest name in the folder is "console.sock".
    private const int LongestPath = 107 - 13;

    private readonly string? _memoryFolder;

    private RunFolder(string path, string? memoryFolder)
    {
        Path = path;
        _memoryFolder = memoryFolder;
    }

    public string Path { get; }

    public string RamFile => System.IO.Path.Combine(_memoryFolder ?? Path, "ram");

    public static RunFolder Create(ulong ramSize)
    {
        var path = CreatePrivate(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR")) ?? Directory.CreateTempSubdirectory("hypercalls-").FullName;
        if (path.Length > LongestPath)
        {
            Directory.Delete(path);
            throw new QemuException($"The run folder {path} is too long for a socket's path: set TMPDIR or XDG_RUNTIME_DIR to a shorter one.");
        }
        return new(path, HasRoom("/dev/shm", ramSize) ? CreatePrivate("/dev/shm") : null);
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

    public void Dispose()
    {
        ForgetMemory();
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    private static string? CreatePrivate(string? parent)
    {
        if (OperatingSystem.IsWindows() || string.IsNullOrEmpty(parent) || !Directory.Exists(parent))
        {
            return null;
        }
        // The name is random and long: nobody can have made it before.
        var path = System.IO.Path.Combine(parent, $"hypercalls-{Guid.NewGuid():N}");
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
