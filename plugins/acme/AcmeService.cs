using Hypercalls.Sdk;
using static Hypercalls.Acme.AcmeStatus;
using static Hypercalls.Sdk.FunctionTraits;

namespace Hypercalls.Acme;

/// <summary>
/// Measurement registers as a vendor's firmware might have them: a guest extends them by what it names, locks them, and has them quoted.
/// A sample of all that the sdk does for a service.
/// </summary>
public sealed partial class AcmeService : Service<AcmeState>
{
    private const int MostRounds = 500_000;

    private readonly AcmeSettings _settings;
    private readonly IServiceLog _log;

    /// <summary>As an operator wants it.</summary>
    /// <param name="settings">Key, effort, event.</param>
    /// <param name="log">For the operator.</param>
    /// <exception cref="ArgumentException">A setting cannot be.</exception>
    public AcmeService(AcmeSettings settings, IServiceLog log)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_settings, _log) = (settings, log);
        Check();
        Functions = new()
        {
            { 0x8300_0000,              "ACME_VERSION",          AcmeVersion, FunctionTraits.Version | Mandatory },
            { 0x8300_0001, 0xC300_0001, "ACME_EXTEND",           Extend,         "slot", "base", "size" },
            { 0xC300_0002,              "ACME_EXTEND_VALUES",    ExtendValues,   Uses(6, 9), "slot", "value0" },
            { 0xC300_0003,              "ACME_EXTEND_VECTORS",   ExtendVectors,  "slot" },
            { 0xC300_0004,              "ACME_READ",             Read,           "slot" },
            { 0x8300_0005,              "ACME_LOCK",             Lock,           "slot" },
            { 0x8300_0006, 0xC300_0006, "ACME_QUOTE",            Quote,          "nonce", "quote" },
        };
    }

    /// <inheritdoc/>
    public override string Name => "ACME";

    /// <inheritdoc/>
    public override string Version => "2.0";

    /// <inheritdoc/>
    public override Type Statuses => typeof(AcmeStatus);

    /// <inheritdoc/>
    public override IReadOnlyList<OwnerIdentity> Owners { get; } = [new(OwningEntity.Oem, new Guid("5a1f7c3e-90b2-4d66-8a57-6f0d2b9e41c8"), new(2, 0))];

    /// <inheritdoc/>
    public override FunctionTable<AcmeState> Functions { get; }

    private void Check()
    {
        if (_settings.Rounds is < 1 or > MostRounds)
        {
            throw new ArgumentException($"a quote takes 1 to {MostRounds} rounds", nameof(AcmeSettings.Rounds));
        }
    }

    private static Answer AcmeVersion(in Hypercall call) => Answer.Value(0x2_0000);

    /// <summary>Guest memory: checked, copied once, and the same however often the guest changes it meanwhile.</summary>
    private Outcome<AcmeState> Extend(in Hypercall call, AcmeState state)
    {
        if (call[1] >= AcmeState.SlotCount || !call.TryRange(call[2], call[3], out var range))
        {
            return Status(InvalidParameter);
        }

        return call.TryRead(range, out var bytes) ? Extend(call, state, bytes) : new Need { Memory = [range] };
    }

    /// <summary>Registers beyond x5: the row says Uses, and they come with the call.</summary>
    private Outcome<AcmeState> ExtendValues(in Hypercall call, AcmeState state)
    {
        if (call[1] >= AcmeState.SlotCount)
        {
            return Status(InvalidParameter);
        }

        Span<byte> bytes = stackalloc byte[8 * 8];
        for (var n = 0; n < 8; n++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * n)..], call[2 + n]);
        }

        return Extend(call, state, bytes);
    }

    /// <summary>System registers of the caller.</summary>
    private Outcome<AcmeState> ExtendVectors(in Hypercall call, AcmeState state)
    {
        if (call[1] >= AcmeState.SlotCount)
        {
            return Status(InvalidParameter);
        }

        if (!call.TryRead(SystemRegister.VbarElc, out var vbar) || !call.TryRead(SystemRegister.SctlrElc, out var sctlr))
        {
            return new Need { System = [SystemRegister.VbarElc, SystemRegister.SctlrElc] };
        }

        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, vbar);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], sctlr);
        return Extend(call, state, bytes);
    }

    /// <summary>Results beyond x3 (SMCCC 1.2): the digest in x1 to x4.</summary>
    private static Outcome<AcmeState> Read(in Hypercall call, AcmeState state)
    {
        if (call[1] >= AcmeState.SlotCount)
        {
            return Status(InvalidParameter);
        }

        var digest = Measurement.Words(state.Slots[(int)call[1]].Digest);
        return Status(Success) with { X1 = digest[0], X2 = digest[1], X3 = digest[2], Beyond = [new(4, digest[3])] };
    }

    private static Outcome<AcmeState> Lock(in Hypercall call, AcmeState state) => call[1] >= AcmeState.SlotCount
        ? Status(InvalidParameter)
        : (state with { Slots = state.Slots.With((int)call[1], state.Slots[(int)call[1]] with { IsLocked = true }) }, Status(Success));

    /// <summary>A long function: while it works, other cores call as they like. It writes its result into guest memory.</summary>
    private Outcome<AcmeState> Quote(in Hypercall call, AcmeState state)
    {
        if (!call.TryRange(call[1], Measurement.Bytes, out var nonce) || !call.TryRange(call[2], Measurement.Bytes, out var quote))
        {
            return Status(InvalidParameter);
        }

        if (!call.TryRead(nonce, out var bytes))
        {
            return new Need { Memory = [nonce] };
        }

        var (asked, slots, settings) = (bytes.ToArray(), state.Slots, _settings);
        return new Work<AcmeState>(cancelled =>
        {
            var made = Measurement.Quote(settings, asked, slots, cancelled);
            return now => (now with { Quotes = now.Quotes + 1 }, Status(Success) with { Writes = [quote.Write(made)] });
        });
    }

    private Outcome<AcmeState> Extend(in Hypercall call, AcmeState state, ReadOnlySpan<byte> bytes)
    {
        var number = (int)call[1];
        var slot = state.Slots[number];
        if (slot.IsLocked)
        {
            _log.Warning($"slot {number} is locked: {bytes.Length} bytes are kept out");
            var refused = state with { Refused = state.Refused + 1 };
            // The guest's own handler hears of it, if it has one; the answer is the same without.
            return (refused, Status(Locked) with { Raises = _settings.TamperEvent is { } tamper ? [new(tamper, call.Core, "SDEI")] : [] });
        }

        var extended = slot with { Digest = Measurement.Extend(slot.Digest, bytes), Count = slot.Count + 1 };
        return (state with { Slots = state.Slots.With(number, extended) }, Status(Success));
    }

    private static Answer Status(AcmeStatus status) => Answer.Status((long)status);
}
