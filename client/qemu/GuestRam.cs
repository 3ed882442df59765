using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using Hypercalls.Hosts;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Qemu;

/// <summary>The machine's RAM: a file that QEMU and this process map. It stays mapped until the last thread that uses it has let go.</summary>
internal sealed unsafe class GuestRam : IGuestMemory, IDisposable
{
    public const ulong Base = 0x4000_0000;

    // How often a vCPU looks for its answer before it sleeps: an answer that crosses two threads comes in about 20 µs, waking a sleeper costs 40 µs more.
    private const uint Polls = 20000;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private GuestRam(string path, ulong size, MemoryMappedFile file)
    {
        Path = path;
        Size = size;
        _file = file;
        _view = _file.CreateViewAccessor(0, (long)size);
        _start = AddUser();
        Word(MailboxLayout.ConfigSpin) = Polls;
    }

    public string Path { get; }

    public ulong Size { get; }

    public ulong End => Base + Size;

    /// <summary>Address of the mailbox area, the top of RAM; the guest is told to leave it alone.</summary>
    public ulong MailboxArea => End - MailboxLayout.AreaSize;

    /// <summary>Maps a new file of this size; a file of that name must not exist.</summary>
    public static GuestRam Create(string path, ulong size)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using (var file = new FileStream(path, options))
        {
            file.SetLength((long)size);
        }
        return new(path, size, MemoryMappedFile.CreateFromFile(path, FileMode.Open));
    }

    /// <summary>Maps the file that a running QEMU has open, whether or not it still has a name.</summary>
    public static GuestRam Open(string path, ulong size)
    {
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite });
        if ((ulong)file.Length < size)
        {
            file.Dispose();
            throw new HostException($"{path} has {file.Length} bytes and not the {size} of the machine's RAM.");
        }
        return new(path, size, MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false));
    }

    public void Read(ulong address, Span<byte> into) => Slice(address, into.Length).CopyTo(into);

    public void Write(ulong address, ReadOnlySpan<byte> bytes) => bytes.CopyTo(Slice(address, bytes.Length));

    /// <summary>True when the range lies in RAM and outside the mailbox area.</summary>
    public bool IsGuestMemory(ulong address, ulong length) =>
        address >= Base && address <= MailboxArea && length <= MailboxArea - address;

    /// <summary>The bytes at a guest-physical address. The caller has checked the range; a range outside RAM throws.</summary>
    public Span<byte> Slice(ulong address, int length) => new(At(address, length), length);

    public byte* At(ulong address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (address < Base || address > End || (ulong)length > End - address)
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"0x{address:x}+{length} is not in guest RAM.");
        }
        return _start + (address - Base);
    }

    /// <summary>What the monitor finds before QEMU runs: the number of vCPUs.</summary>
    public void SetVcpus(int count) => Word(MailboxLayout.ConfigVcpus) = (uint)count;

    /// <summary>Overwrites all that the guest may have written.</summary>
    public void Clear()
    {
        const int Step = 1 << 30;
        for (var address = Base; address < MailboxArea; address += Step)
        {
            Slice(address, (int)Math.Min(Step, MailboxArea - address)).Clear();
        }
    }

    /// <summary>Keeps the mapping alive for one more thread, until its <see cref="RemoveUser"/>.</summary>
    public byte* AddUser()
    {
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        return pointer + _view.PointerOffset;
    }

    public void RemoveUser() => _view.SafeMemoryMappedViewHandle.ReleasePointer();

    public void Dispose()
    {
        RemoveUser();
        _view.SafeMemoryMappedViewHandle.Dispose();
        _file.Dispose();
    }

    private ref uint Word(int offset) => ref Unsafe.AsRef<uint>(At(MailboxArea + (ulong)offset, sizeof(uint)));
}
