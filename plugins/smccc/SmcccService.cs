using Hypercalls.Sdk;
using static Hypercalls.Sdk.FunctionTraits;

namespace Hypercalls.Smccc;

/// <summary>The Arm Architecture calls by which a guest learns what it may use (DEN0028, Arm Architecture Calls).</summary>
public sealed class SmcccService : Service<SmcccState>
{
    private const uint SocVersion = 0;
    private const uint SocRevision = 1;
    private const uint SocName = 2;

    private static readonly Version s_socIdSince = new(1, 2);
    private static readonly Version s_latest = new(1, 3);

    // Of another owner, yet to be asked about here (DEN0057, Discovery).
    private static readonly FunctionId s_pvTimeFeatures = new(0xC500_0020);

    private readonly Version _version;
    private readonly SocId? _socId;
    private readonly Answer _socName;

    /// <summary>The latest version, without a SoC ID.</summary>
    public SmcccService()
        : this(new())
    {
    }

    /// <summary>With the functions that the version and the SoC ID bring.</summary>
    /// <param name="settings">What the operator set.</param>
    /// <exception cref="ArgumentException">A value is out of range, or is not part of the version.</exception>
    public SmcccService(SmcccSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_version, _socId) = (settings.Version, settings.SocId);
        Check();
        Functions = new(_version)
        {
            { 0x8000_0000, "SMCCC_VERSION",       SmcccVersion, Since(1, 1) | Mandatory | FunctionTraits.Version },
            { 0x8000_0001, "SMCCC_ARCH_FEATURES", ArchFeatures, Since(1, 1) | Mandatory, "arch_func_id" },
        };
        if (_socId is not null)
        {
            Functions.Add(0x8000_0002, 0xC000_0002, "SMCCC_ARCH_SOC_ID", ArchSocId, Since(1, 2), "soc_id_type");
            _socName = _socId.Name is null ? Status(SmcccStatus.InvalidParameter) : NameOf(_socId);
        }
    }

    /// <inheritdoc/>
    public override string Name => "SMCCC";

    /// <inheritdoc/>
    public override string Version => _version.ToString();

    /// <inheritdoc/>
    public override Type Statuses => typeof(SmcccStatus);

    /// <summary>What a kernel says of itself is the truth for its guest.</summary>
    /// <inheritdoc/>
    public override bool YieldsToKernel => true;

    /// <inheritdoc/>
    public override FunctionTable<SmcccState> Functions { get; }

    private static Answer ArchFeatures(in Hypercall call)
    {
        var asked = new FunctionId((uint)call[1]);
        var mayBeAsked = asked.IsFast && !asked.HasSveHint && (asked.Owner == OwningEntity.Architecture || asked == s_pvTimeFeatures);
        return mayBeAsked && call.Served.Contains(asked) ? Answer.Success : Status(SmcccStatus.NotSupported);
    }

    private static Answer NameOf(SocId socId)
    {
        ulong[] name = socId.NameRegisters();
        return Answer.Success with { X1 = name[0], X2 = name[1], X3 = name[2], Beyond = [.. name.Skip(3).Select((value, n) => new RegisterValue(n + 4, value))] };
    }

    private static Answer Status(SmcccStatus status) => Answer.Status((long)status);

    private Answer SmcccVersion(in Hypercall call) => Answer.Value((uint)_version.Major << 16 | (uint)_version.Minor);

    private Answer ArchSocId(in Hypercall call) => (uint)call[1] switch
    {
        SocVersion => Answer.Value(_socId!.SocVersion),
        SocRevision => Answer.Value(_socId!.Revision),
        SocName when call.Function.IsSmc64 => _socName,
        _ => Status(SmcccStatus.InvalidParameter),
    };

    private void Check()
    {
        if (_version.Major != 1 || _version.Minor > s_latest.Minor || _version.Build >= 0)
        {
            throw new ArgumentException($"{_version} is no version that is served; give one from 1.0 to {s_latest}", nameof(Version));
        }

        if (_socId is null)
        {
            return;
        }

        if (_version < s_socIdSince)
        {
            throw new ArgumentException($"version {_version} has no SMCCC_ARCH_SOC_ID; leave socId away, or set version to {s_socIdSince} or later", nameof(SocId));
        }

        if (_socId.Fault is var (member, remedy))
        {
            throw new ArgumentException(remedy, $"{nameof(SmcccSettings.SocId)}.{member}");
        }
    }
}

/// <summary>Return codes of the architecture calls (DEN0028, Return codes).</summary>
public enum SmcccStatus
{
    /// <summary>SUCCESS.</summary>
    Success = 0,

    /// <summary>NOT_SUPPORTED.</summary>
    NotSupported = -1,

    /// <summary>NOT_REQUIRED.</summary>
    NotRequired = -2,

    /// <summary>INVALID_PARAMETER.</summary>
    InvalidParameter = -3,
}

/// <summary>Nothing is remembered.</summary>
public sealed record SmcccState;
