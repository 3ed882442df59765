using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;
using static Hypercalls.Sdk.FunctionTraits;

namespace Hypercalls.Sdei;

/// <summary>The Software Delegated Exception Interface: events that interrupt a guest whatever it masks (DEN0054, SDEI interface).</summary>
public sealed partial class SdeiService : Service<SdeiState>, ICoreLifecycle<SdeiState>, INotApplied<SdeiState>, IAttention<SdeiState>, IInterrupts<SdeiState>
{
    private const uint BindSlots = 0;
    private const uint RelativeMode = 1;

    private static readonly Version s_relativeMode = new(1, 1);

    private readonly SdeiSettings _settings;
    private readonly EventCatalogue _events;

    /// <summary>The latest version, with event 0 and slots for interrupts.</summary>
    public SdeiService()
        : this(new())
    {
    }

    /// <summary>As a platform chooses.</summary>
    /// <param name="settings">Its choices.</param>
    /// <exception cref="ArgumentException">They contradict the specification.</exception>
    public SdeiService(SdeiSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.Fault is var (member, sentence))
        {
            throw new ArgumentException(sentence, member);
        }

        _settings = settings;
        _events = new(settings);
        Functions = new()
        {
            { 0xC400_0020, "SDEI_VERSION",                   Client(SdeiVersion),            Mandatory | FunctionTraits.Version },
            { 0xC400_0021, "SDEI_EVENT_REGISTER",            Client(EventRegister),          Mandatory, "event", "entry_point_address", "ep_argument", "flags", "affinity" },
            { 0xC400_0022, "SDEI_EVENT_ENABLE",              Client(EventEnable),            Mandatory, "event" },
            { 0xC400_0023, "SDEI_EVENT_DISABLE",             Client(EventDisable),           Mandatory, "event" },
            { 0xC400_0024, "SDEI_EVENT_CONTEXT",             Client(EventContext),           Mandatory, "param_id" },
            { 0xC400_0025, "SDEI_EVENT_COMPLETE",            Client(EventComplete),          Mandatory | NoReturn, "status" },
            { 0xC400_0026, "SDEI_EVENT_COMPLETE_AND_RESUME", Client(EventCompleteAndResume), Mandatory | NoReturn, "resume_addr" },
            { 0xC400_0027, "SDEI_EVENT_UNREGISTER",          Client(EventUnregister),        Mandatory, "event" },
            { 0xC400_0028, "SDEI_EVENT_STATUS",              Client(EventStatus),            Mandatory, "event" },
            { 0xC400_0029, "SDEI_EVENT_GET_INFO",            Client(EventGetInfo),           Mandatory, "event", "info" },
            { 0xC400_002A, "SDEI_EVENT_ROUTING_SET",         Client(EventRoutingSet),        Mandatory, "event", "routing_mode", "affinity" },
            { 0xC400_002B, "SDEI_PE_MASK",                   Client(PeMask),                 Mandatory },
            { 0xC400_002C, "SDEI_PE_UNMASK",                 Client(PeUnmask),               Mandatory },
            { 0xC400_002D, "SDEI_INTERRUPT_BIND",            Client(InterruptBind),          Mandatory, "interrupt" },
            { 0xC400_002E, "SDEI_INTERRUPT_RELEASE",         Client(InterruptRelease),       Mandatory, "event" },
            { 0xC400_002F, "SDEI_EVENT_SIGNAL",              Client(EventSignal),            Mandatory, "event", "target_pe" },
            { 0xC400_0030, "SDEI_FEATURES",                  Client(Features),               Mandatory, "feature" },
            { 0xC400_0031, "SDEI_PRIVATE_RESET",             Client(PrivateReset),           Mandatory },
            { 0xC400_0032, "SDEI_SHARED_RESET",              Client(SharedReset),            Mandatory },
        };
    }

    /// <inheritdoc/>
    public override string Name => "SDEI";

    /// <inheritdoc/>
    public override string Version => _settings.Version.ToString();

    /// <inheritdoc/>
    /// <remarks>CPU_SUSPEND, CPU_OFF, CPU_ON: what a core that goes and comes has registered, and whether it is masked, depends on them (DEN0054, Interaction with PSCI).</remarks>
    public override ValueArray<FunctionId> Follows { get; } = [new(0x8400_0001), new(0x8400_0002), new(0x8400_0003)];

    /// <inheritdoc/>
    public override Type Statuses => typeof(SdeiStatus);

    /// <inheritdoc/>
    public override FunctionTable<SdeiState> Functions { get; }

    private bool HasRelativeMode => _settings.Version >= s_relativeMode;

    /// <summary>Other exception levels have no SDEI: not the guests of a guest at EL2.</summary>
    private static Serve<SdeiState> Client(Serve<SdeiState> code) => (in call, state) =>
        call.Pstate.ExceptionLevel == call.Machine.ClientEl ? code(call, state) : Status(NotSupported);

    private Outcome<SdeiState> SdeiVersion(in Hypercall call, SdeiState state) =>
        Answer.Value((ulong)(uint)_settings.Version.Major << 48 | (ulong)(uint)_settings.Version.Minor << 32);

    private Outcome<SdeiState> Features(in Hypercall call, SdeiState state) => call[1] switch
    {
        BindSlots => Answer.Value((uint)state.SharedBindings.Count << 16 | (uint)state.PrivateBindings.Count),
        RelativeMode when HasRelativeMode => Answer.Value(1),
        _ => Status(InvalidParameters),
    };

    private EventReference? Find(ulong argument, SdeiState state) => _events.Find(new((uint)argument), state);

    private static Answer Status(SdeiStatus status) => Answer.Status((long)status);
}
