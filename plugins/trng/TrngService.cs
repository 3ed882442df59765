using Hypercalls.Sdk;
using static Hypercalls.Sdk.FunctionTraits;
using static Hypercalls.Trng.TrngStatus;

namespace Hypercalls.Trng;

/// <summary>True Random Number Generator Firmware Interface 1.0 (DEN0098, Function definitions): entropy of the host's operating system.</summary>
public sealed class TrngService : Service<TrngState>
{
    private const int BitsOfSmc32 = 96;
    private const int BitsOfSmc64 = 192;

    private readonly TrngSettings _settings;

    /// <summary>As it comes.</summary>
    public TrngService()
        : this(new())
    {
    }

    /// <summary>As an operator wants it.</summary>
    /// <param name="settings">What it is to its guests.</param>
    /// <exception cref="ArgumentException">The UUID reads as an unknown function.</exception>
    public TrngService(TrngSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        Check();
        Functions = new()
        {
            { 0x8400_0050,              "TRNG_VERSION",  TrngVersion, FunctionTraits.Version | Mandatory },
            { 0x8400_0051,              "TRNG_FEATURES", Features,    Mandatory, "trng_func_id" },
            { 0x8400_0052,              "TRNG_GET_UUID", GetUuid,     Mandatory },
            { 0x8400_0053, 0xC400_0053, "TRNG_RND",      Rnd,         Mandatory, "N" },
        };
    }

    /// <inheritdoc/>
    public override string Name => "TRNG";

    /// <inheritdoc/>
    public override string Version => "1.0";

    /// <inheritdoc/>
    public override Type Statuses => typeof(TrngStatus);

    /// <inheritdoc/>
    public override bool YieldsToKernel => true;

    /// <inheritdoc/>
    public override FunctionTable<TrngState> Functions { get; }

    private void Check()
    {
        if (Answer.Uid(_settings.Uuid).X0 == uint.MaxValue)
        {
            throw new ArgumentException($"{_settings.Uuid} begins with ffffffff, which a guest reads as an unknown function; choose another", nameof(TrngSettings.Uuid));
        }
    }

    private static Answer TrngVersion(in Hypercall call) => Answer.Value(0x1_0000);

    private Answer Features(in Hypercall call) =>
        new FunctionId((uint)call[1]) is var id && Functions.TryGet(id, out _) && call.Served.Contains(id) ? Status(Success) : Status(NotSupported);

    private Answer GetUuid(in Hypercall call) => Answer.Uid(_settings.Uuid);

    private Outcome<TrngState> Rnd(in Hypercall call, TrngState state)
    {
        var bits = call[1];
        if (bits is 0 || bits > (ulong)(call.Function.IsSmc64 ? BitsOfSmc64 : BitsOfSmc32))
        {
            // No bits at all is a mistake: the specification leaves it open, TF-A decides so.
            return Status(InvalidParameters);
        }

        var requested = state with { Requests = state.Requests + 1 };
        return _settings.NoEntropyEvery > 0 && requested.Requests % _settings.NoEntropyEvery == 0
            ? (requested, Status(NoEntropy))
            : (requested, Entropy(call, (int)bits));
    }

    /// <summary>The lowest bits stand in x3, the next in x2, then x1; what was not asked for is zero.</summary>
    private static Answer Entropy(in Hypercall call, int bits)
    {
        var width = call.Function.IsSmc64 ? 64 : 32;
        return Status(Success) with { X3 = Word(call.Random[0], 0), X2 = Word(call.Random[1], 1), X1 = Word(call.Random[2], 2) };

        ulong Word(ulong random, int place) => Math.Clamp(bits - (place * width), 0, width) switch
        {
            0 => 0,
            var wanted => random >> 64 - wanted,
        };
    }

    private static Answer Status(TrngStatus status) => Answer.Status((long)status);
}
