using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Hypercalls.Protos;

/// <summary>Where daemon and clients of one user meet: a socket in a folder that nobody else can enter.</summary>
public static class LocalSocket
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint ModeAndOwner = 0xB; // STATX_TYPE | STATX_MODE | STATX_UID

    /// <summary>$XDG_RUNTIME_DIR/hypercalls, else /tmp/hypercalls-UID: the user's own folder for sockets and runs.</summary>
    public static string Folder =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Directory.Exists(runtime)
            ? Path.Combine(runtime, "hypercalls")
            : $"/tmp/hypercalls-{EffectiveUser()}";

    /// <summary>The daemon's socket where none is named.</summary>
    public static string DefaultPath => Path.Combine(Folder, "daemon.sock");

    /// <summary>Makes the user's folder where it is missing, and checks that it is nobody else's.</summary>
    /// <exception cref="IOException">It is a link, belongs to another user or is open to others: the sentence says which and what to do.</exception>
    public static void EnsureFolder()
    {
        Directory.CreateDirectory(Folder, OwnerOnly);
        if (FolderFault(Folder) is { } fault)
        {
            throw new IOException(fault);
        }
    }

    /// <summary>Why a folder must not be trusted.</summary>
    /// <param name="folder">An absolute path.</param>
    /// <returns>Null where it is a folder of this user with mode 0700.</returns>
    public static string? FolderFault(string folder)
    {
        var buffer = new byte[256];
        if (statx(CurrentFolder, Encoding.UTF8.GetBytes(folder + "\0"), NoFollow, ModeAndOwner, buffer) != 0)
        {
            return $"{folder} cannot be looked at. Set XDG_RUNTIME_DIR to a folder of your own.";
        }

        // struct statx: stx_uid at 20, stx_mode at 28 (man 2 statx).
        var owner = BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(20));
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(28));
        return (mode & 0xF000) != 0x4000
            ? $"{folder} is no folder (a link, perhaps). Remove it, or set XDG_RUNTIME_DIR to a folder of your own."
            : owner != EffectiveUser()
                ? $"{folder} belongs to user {owner}. Set XDG_RUNTIME_DIR to a folder of your own."
                : (mode & 0x3F) != 0
                    ? $"{folder} is open to other users. Run: chmod 700 {folder}"
                    : null;
    }

    private static uint EffectiveUser() => geteuid();

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] buffer);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint geteuid();
}
