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
    private const ushort FileType = 0xF000; // S_IFMT
    private const ushort FolderType = 0x4000; // S_IFDIR
    private const ushort SocketType = 0xC000; // S_IFSOCK
    private const ushort OthersMode = 0x3F;

    /// <summary>$XDG_RUNTIME_DIR/hypercalls, else /tmp/hypercalls-UID: the user's own folder for sockets and runs.</summary>
    public static string Folder =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Directory.Exists(runtime)
            ? Path.Combine(runtime, "hypercalls")
            : $"/tmp/hypercalls-{User}";

    /// <summary>The user this process acts as.</summary>
    public static uint User => geteuid();

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
        if (!TryLook(folder, out var look))
        {
            return $"{folder} cannot be looked at. Set XDG_RUNTIME_DIR to a folder of your own.";
        }

        return (look.Mode & FileType) != FolderType
            ? $"{folder} is no folder (a link, perhaps). Remove it, or set XDG_RUNTIME_DIR to a folder of your own."
            : look.Owner != User
                ? $"{folder} belongs to user {look.Owner}. Set XDG_RUNTIME_DIR to a folder of your own."
                : (look.Mode & OthersMode) != 0
                    ? $"{folder} is open to other users. Run: chmod 700 {folder}"
                    : null;
    }

    /// <summary>Whether a path is a socket: nothing else may be cleared away for one.</summary>
    /// <param name="path">An absolute path.</param>
    /// <returns>False for files, folders and links, and where nothing is.</returns>
    public static bool IsSocket(string path) => TryLook(path, out var look) && (look.Mode & FileType) == SocketType;

    private static bool TryLook(string path, out (ushort Mode, uint Owner) look)
    {
        var buffer = new byte[256];
        var found = statx(CurrentFolder, Encoding.UTF8.GetBytes(path + "\0"), NoFollow, ModeAndOwner, buffer) == 0;
        // struct statx: stx_uid at 20, stx_mode at 28 (man 2 statx).
        look = (BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(28)), BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(20)));
        return found;
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] buffer);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint geteuid();
}
