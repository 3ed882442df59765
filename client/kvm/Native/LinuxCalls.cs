using System.Runtime.InteropServices;

namespace Hypercalls.Kvm.Native;

/// <summary>The calls of the C library; results are their results, or −errno.</summary>
internal static unsafe partial class LinuxCalls
{
    public const int ReadWrite = 2;
    public const int CloseOnExec = 0x8_0000;

    public const int ProtectReadWrite = 3;
    public const int MapShared = 1;
    public const int MapPrivate = 2;
    public const int MapAnonymous = 0x20;
    public const int MapNoReserve = 0x4000;

    /// <summary>Gives anonymous private memory back: it reads as zero afterwards.</summary>
    public const int DontNeed = 4;

    /// <summary>SIGRTMIN + 6: none of those that the runtime uses.</summary>
    private const int KickSignal = 40;

    /// <summary>glibc. A kick needs its tgkill, which others (musl) have not.</summary>
    public const string GnuC = "libc.so.6";

    private const string C = "libc";

    // The signal's only use is to end a system call. Managed code cannot run in a handler, and a function that is safe there and does nothing is in the
    // C library: getpid takes no argument and changes nothing (signal-safety(7)).
    static LinuxCalls()
    {
        if (TryFindKick(GnuC, out var handler))
        {
            Signal(KickSignal, handler);
        }
    }

    /// <summary>Whether a C library has what a kick takes: gettid and tgkill, and the handler.</summary>
    public static bool TryFindKick(string library, out nint handler)
    {
        handler = 0;
        return NativeLibrary.TryLoad(library, out var c) && NativeLibrary.TryGetExport(c, "gettid", out _) && NativeLibrary.TryGetExport(c, "tgkill", out _)
            && NativeLibrary.TryGetExport(c, "getpid", out handler);
    }

    public static int Open(string path) => Result(OpenFile(path, ReadWrite | CloseOnExec, 0));

    public static int Close(int descriptor) => Result(CloseFile(descriptor));

    public static int Control(int descriptor, uint request, nint argument) => Result(IoControl(descriptor, request, argument));

    /// <summary>The address, or null: the errno is then the last error.</summary>
    public static byte* Map(ulong size, int protection, int flags, int descriptor)
    {
        var address = MemoryMap(0, (nuint)size, protection, flags, descriptor, 0);
        return address == -1 ? null : (byte*)address;
    }

    public static void Unmap(byte* address, ulong size) => _ = MemoryUnmap((nint)address, (nuint)size);

    public static int Advise(byte* address, ulong size, int advice) => Result(MemoryAdvise((nint)address, (nuint)size, advice));

    /// <summary>The calling thread, as <see cref="Kick"/> knows it.</summary>
    public static int ThisThread() => GetTid();

    /// <summary>Ends the system call that a thread of this process is in. A thread that has ended is no fault.</summary>
    public static void Kick(int thread) => _ = TgKill(Environment.ProcessId, thread, KickSignal);

    private static int Result(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    [LibraryImport(C, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags, int mode);

    [LibraryImport(C, EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int descriptor);

    [LibraryImport(C, EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoControl(int descriptor, nuint request, nint argument);

    [LibraryImport(C, EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport(C, EntryPoint = "munmap", SetLastError = true)]
    private static partial int MemoryUnmap(nint address, nuint length);

    [LibraryImport(C, EntryPoint = "madvise", SetLastError = true)]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);

    [LibraryImport(C, EntryPoint = "gettid")]
    private static partial int GetTid();

    [LibraryImport(C, EntryPoint = "tgkill", SetLastError = true)]
    private static partial int TgKill(int process, int thread, int signal);

    [LibraryImport(C, EntryPoint = "signal")]
    private static partial nint Signal(int signal, nint handler);
}
