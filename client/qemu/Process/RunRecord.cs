using System.Globalization;
using System.Text.Json;
using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Qemu.Process;

/// <summary>run.json in the run folder: what the host process after this one needs to go on with the machine.</summary>
internal sealed record RunRecord
{
    /// <summary>Of this file and of the mailbox area; a host takes over no other.</summary>
    public const int CurrentFormat = 2;

    private const int LargestFile = 1 << 20;

    public int Format { get; init; } = CurrentFormat;

    public int QemuProcess { get; init; }

    /// <summary>When that process was started, in the kernel's ticks: its number alone may be another's by now.</summary>
    public ulong QemuStarted { get; init; }

    public string QemuVersion { get; init; } = "";

    public DateTimeOffset Started { get; init; }

    /// <summary>Had a name only until QEMU had mapped it.</summary>
    public string RamFile { get; init; } = "";

    public string Kernel { get; init; } = "";

    public bool KernelIsRaw { get; init; }

    public bool KernelIsAArch32 { get; init; }

    public string? Initrd { get; init; }

    public string CommandLine { get; init; } = "";

    public int Cores { get; init; }

    public int MemoryMiB { get; init; }

    public string Machine { get; init; } = "";

    public uint ClientEl { get; init; }

    /// <summary>What the kernel was when it was loaded.</summary>
    public bool GuestIsAArch32 { get; init; }

    public string Cpu { get; init; } = "";

    public Conduit Conduit { get; init; }

    public Dictionary<string, string> Kept { get; init; } = [];

    public static RunRecord Of(QemuOptions options, GuestKind guest, QemuProcess process, string version, string ramFile) => new()
    {
        QemuProcess = process.Id,
        QemuStarted = process.Started,
        QemuVersion = version,
        Started = DateTimeOffset.UtcNow,
        RamFile = ramFile,
        Kernel = System.IO.Path.GetFullPath(options.Kernel),
        KernelIsRaw = options.KernelIsRaw,
        KernelIsAArch32 = options.KernelIsAArch32,
        Initrd = options.Initrd is null ? null : System.IO.Path.GetFullPath(options.Initrd),
        CommandLine = options.CommandLine,
        Cores = options.Cores,
        MemoryMiB = options.MemoryMiB,
        Machine = options.Machine,
        ClientEl = options.ClientEl,
        GuestIsAArch32 = guest.IsAArch32,
        Cpu = options.Cpu,
        Conduit = options.Conduit,
        Kept = new(options.Kept),
    };

    public QemuOptions ToOptions(ReadOnlyMemory<byte> initrdAppendix) => new()
    {
        Kernel = Kernel,
        KernelIsRaw = KernelIsRaw,
        KernelIsAArch32 = KernelIsAArch32,
        Initrd = Initrd,
        InitrdAppendix = initrdAppendix,
        CommandLine = CommandLine,
        Cores = Cores,
        MemoryMiB = MemoryMiB,
        Machine = Machine,
        ClientEl = ClientEl,
        Cpu = Cpu,
        Conduit = Conduit,
        Kept = Kept,
    };

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this);

    /// <summary>False when the bytes are no record that this host can go on with; fault says, for a person, why.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out RunRecord record, out string fault)
    {
        record = new() { Format = 0 };
        fault = "it is damaged";
        try
        {
            // The number first: what another format means is unknown.
            var document = bytes.Length > LargestFile ? default : JsonSerializer.Deserialize<JsonElement>(bytes);
            if (document.ValueKind != JsonValueKind.Object || !document.TryGetProperty(nameof(Format), out var format) || !format.TryGetInt32(out var number))
            {
                return false;
            }
            if (number != CurrentFormat)
            {
                fault = string.Create(CultureInfo.InvariantCulture, $"it is of format {number}, and this host knows {CurrentFormat}: take the run over with the version that started it");
                return false;
            }
            record = document.Deserialize<RunRecord>() ?? record;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
        return record is
        {
            QemuProcess: > 0, QemuVersion: not null, RamFile: not null, Kernel: not null, CommandLine: not null, Machine: not null, Cpu: not null, Kept: not null,
            Cores: >= 1 and <= Monitor.MailboxLayout.MaximumVcpus, MemoryMiB: >= 16 and <= 255 << 10, ClientEl: 1 or 2, Conduit: Conduit.Smc or Conduit.Hvc,
        };
    }
}
