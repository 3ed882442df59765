using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;

namespace Hypercalls.Qemu.Monitor;

/// <summary>What an answer asks of the host beyond its frame, as mailbox.h numbers it.</summary>
internal enum DecidedEffect
{
    None = MailboxLayout.EffectNone,
    PowerOn = MailboxLayout.EffectPowerOn,
    PowerOff = MailboxLayout.EffectPowerOff,
    Shutdown = MailboxLayout.EffectShutdown,
    ResetCold = MailboxLayout.EffectResetCold,
    ResetWarm = MailboxLayout.EffectResetWarm,
    ResetClear = MailboxLayout.EffectResetClear,
    Take = MailboxLayout.EffectTake,
}

/// <summary>What becomes of one exit. Once it is kept it stands: whichever host process is there carries it out, once.</summary>
/// <param name="ExitId">Boot in the upper half, the mailbox's request in the lower.</param>
/// <param name="Outcome">Applied or fell back.</param>
/// <param name="LastApplied">The last exit of this boot whose answer was applied, 0 where none was; of <see cref="DecidedEffect.Take"/> the one before it.</param>
internal sealed record Decision(ulong ExitId, Outcome Outcome, ulong LastApplied)
{
    public DecidedEffect Effect { get; init; }

    /// <summary>The core to be started, for <see cref="DecidedEffect.PowerOn"/>.</summary>
    public ulong Target { get; init; }

    /// <summary>Its start; of any effect the incarnation and the commit.</summary>
    public CoreStart Start { get; init; } = new(0, 0, default, 0);

    /// <summary>x0 when the core cannot be started.</summary>
    public ulong IfRefused { get; init; }

    /// <summary>An attention exit is owed before the guest's next instruction.</summary>
    public bool Attend { get; init; }

    public uint Request => (uint)ExitId;

    public uint Boot => (uint)(ExitId >> 32);

    public bool EndsTheBoot => Effect is >= DecidedEffect.Shutdown and <= DecidedEffect.ResetClear;

    public ResetKind ResetKind => Effect == DecidedEffect.ResetWarm ? ResetKind.Warm : ResetKind.Cold;

    /// <summary>An interrupt that could not be taken counts as fallen back, once the monitor has said so.</summary>
    public Previous ToPrevious(bool isRefused = false) => new()
    {
        ExitId = ExitId,
        Outcome = isRefused ? Outcome.FellBack : Outcome,
        LastApplied = Effect == DecidedEffect.Take && !isRefused ? ExitId : LastApplied,
    };
}
