using Hypercalls.Sdk;
using static Hypercalls.Psci.PsciStatus;
using static Hypercalls.Sdk.FunctionTraits;

namespace Hypercalls.Psci;

/// <summary>The Power State Coordination Interface for the cores of a machine (DEN0022, Functions).</summary>
public sealed partial class PsciService : Service<PsciState>, ICoreLifecycle<PsciState>, IResets<PsciState>, INotApplied<PsciState>
{
    private const ulong HibernateOffSupported = 1;

    private static readonly Version s_invalidAddress = new(1, 0);
    private static readonly Version s_deniedCpuOn = new(1, 2);
    private static readonly FunctionId s_smcccVersion = new(0x8000_0000);
    private static readonly FunctionId s_memProtect = new(0x8400_0013);
    private static readonly FunctionId s_setSuspendMode = new(0x8400_000F);

    private readonly PsciSettings _settings;

    /// <summary>As of a plain virtual machine.</summary>
    public PsciService()
        : this(new())
    {
    }

    /// <summary>As a platform chooses.</summary>
    /// <param name="settings">Its choices.</param>
    /// <exception cref="ArgumentException">They contradict the specification.</exception>
    public PsciService(PsciSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Fault is var (member, sentence))
        {
            throw new ArgumentException(sentence, member);
        }

        _settings = settings;
        Functions = new(settings.Version)
        {
            { 0x8400_0000,              "PSCI_VERSION",            PsciVersion,     Mandatory | FunctionTraits.Version },
            { 0x8400_0001, 0xC400_0001, "CPU_SUSPEND",             CpuSuspend,      Mandatory, "power_state", "entry_point_address", "context_id" },
            { 0x8400_0002,              "CPU_OFF",                 CpuOff,          Mandatory | NoReturn },
            { 0x8400_0003, 0xC400_0003, "CPU_ON",                  CpuOn,           Mandatory, "target_cpu", "entry_point_address", "context_id" },
            { 0x8400_0004, 0xC400_0004, "AFFINITY_INFO",           AffinityInfo,    Mandatory, "target_affinity", "lowest_affinity_level" },
            { 0x8400_0006,              "MIGRATE_INFO_TYPE",       MigrateInfoType },
            { 0x8400_0008,              "SYSTEM_OFF",              SystemOff,       Mandatory | NoReturn },
            { 0x8400_0009,              "SYSTEM_RESET",            SystemReset,     Mandatory | NoReturn },
            { 0x8400_000A,              "PSCI_FEATURES",           PsciFeatures,    Since(1, 0) | Mandatory, "psci_func_id" },
            { 0x8400_000B,              "CPU_FREEZE",              CpuFreeze,       Since(1, 0) | NoReturn },
            { 0x8400_000C, 0xC400_000C, "CPU_DEFAULT_SUSPEND",     CpuDefaultSuspend, Since(1, 0), "entry_point_address", "context_id" },
            { 0x8400_000D, 0xC400_000D, "NODE_HW_STATE",           NodeHwState,     Since(1, 0), "target_cpu", "power_level" },
            { 0x8400_000E, 0xC400_000E, "SYSTEM_SUSPEND",          SystemSuspend,   Since(1, 0), "entry_point_address", "context_id" },
            { 0x8400_000F,              "PSCI_SET_SUSPEND_MODE",   SetSuspendMode,  Since(1, 0), "mode" },
            { 0x8400_0010, 0xC400_0010, "PSCI_STAT_RESIDENCY",     StatResidency,   Since(1, 0), "target_cpu", "power_state" },
            { 0x8400_0011, 0xC400_0011, "PSCI_STAT_COUNT",         StatCount,       Since(1, 0), "target_cpu", "power_state" },
            { 0x8400_0012, 0xC400_0012, "SYSTEM_RESET2",           SystemReset2,    Since(1, 1) | NoReturn, "reset_type", "cookie" },
            { 0x8400_0013,              "MEM_PROTECT",             MemProtect,      Since(1, 1), "enable" },
            { 0x8400_0014, 0xC400_0014, "MEM_PROTECT_CHECK_RANGE", MemProtectCheckRange, Since(1, 1), "base", "length" },
            { 0x8400_0015, 0xC400_0015, "SYSTEM_OFF2",             SystemOff2,      Since(1, 3) | NoReturn, "type", "cookie" },
        };
    }

    /// <inheritdoc/>
    public override string Name => "PSCI";

    /// <inheritdoc/>
    public override string Version => _settings.Version.ToString();

    /// <inheritdoc/>
    public override Type Statuses => typeof(PsciStatus);

    /// <inheritdoc/>
    public override FunctionTable<PsciState> Functions { get; }

    private Answer PsciVersion(in Hypercall call) => Answer.Value((uint)_settings.Version.Major << 16 | (uint)_settings.Version.Minor);

    private Answer PsciFeatures(in Hypercall call)
    {
        var asked = new FunctionId((uint)call[1]);
        if (asked == s_smcccVersion)
        {
            return Status(call.Served.Contains(asked) ? Success : NotSupported);
        }

        return !Functions.TryGet(asked, out var function) ? Status(NotSupported) : function.Name switch
        {
            "CPU_SUSPEND" => Answer.Value(SuspendFeatures),
            "SYSTEM_OFF2" => Answer.Value(HibernateOffSupported),
            _ => Status(Success),
        };
    }

    private static Answer Status(PsciStatus status) => Answer.Status((long)status);
}
