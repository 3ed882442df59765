namespace Hypercalls.Sdk;

/// <summary>Attention: which cores services want stopped, and what they load there.</summary>
public sealed partial class ServiceSet
{
    private const string Attention = "attention";
    private const string Interrupt = "interrupt";

    /// <summary>Whether any service that takes part may stop a core.</summary>
    public bool HasAttention => _attentive.Length > 0;

    /// <summary>Whether any service wants a core stopped now.</summary>
    /// <param name="state">The states.</param>
    /// <param name="core">A core of the machine.</param>
    /// <returns>A level, derived from the states alone.</returns>
    public bool WantsAttention(MachineState state, Mpidr core) => WantsAttention(state, core, out _);

    /// <summary>Whether any service wants a core stopped now.</summary>
    /// <param name="state">The states.</param>
    /// <param name="core">A core of the machine.</param>
    /// <param name="failure">The fault of a service that threw instead of saying; it counts as not wanting the core.</param>
    /// <param name="except">Services that are not asked.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>A level, derived from the states alone.</returns>
    public bool WantsAttention(MachineState state, Mpidr core, out ServiceFailure? failure, IReadOnlyCollection<Service>? except = null, RunningService? running = null)
    {
        failure = null;
        foreach (var index in _attentive)
        {
            if (except is not null && except.Contains(Services[index]))
            {
                continue;
            }

            running?.Enter(_attending[index], core);
            try
            {
                if (Services[index].WantsAttention(state[index], core))
                {
                    return true;
                }
            }
            catch (Exception e)
            {
                failure = new(Services[index], Attention, e);
            }
        }

        return false;
    }

    /// <summary>A stopped core: the service whose interrupt fired, if one did, takes note; then the first service that wants the core decides what it loads.</summary>
    /// <param name="state">The states.</param>
    /// <param name="exit">The core and its registers.</param>
    /// <param name="except">Services that are not asked.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The answer, <see cref="Answer.NoResults"/> where nobody wants the core any longer.</returns>
    public Served Attend(MachineState state, AttentionExit exit, IReadOnlyCollection<Service>? except = null, RunningService? running = null)
    {
        ServiceFailure? failure = null;
        var isHeld = exit.Intid is not { } intid || TryFire(ref state, exit.Core, intid, except, running, out failure);
        foreach (var index in _attentive)
        {
            var service = Services[index];
            if (service == failure?.Service || (except is not null && except.Contains(service)))
            {
                continue;
            }

            running?.Enter(_attending[index], exit.Core);
            try
            {
                if (service.WantsAttention(state[index], exit.Core))
                {
                    var (next, answer, more) = service.Attend(state[index], exit);
                    AnswerShape.CheckAttention(answer, more);
                    return new(next is null ? state : state.With(index, next), Attended(answer, exit, isHeld), service, null, failure);
                }
            }
            catch (Exception e)
            {
                failure = new(service, Attention, e);
            }
        }

        return new(state, Attended(Answer.NoResults, exit, isHeld), failure?.Service, null, failure);
    }

    /// <summary>The host fell back instead of applying what a stopped core was to load.</summary>
    /// <param name="state">The states.</param>
    /// <param name="service">Who answered.</param>
    /// <param name="exit">The core and its registers.</param>
    /// <param name="answer">What the guest never saw.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>The states to go on with.</returns>
    public Stepped NotApplied(MachineState state, Service service, AttentionExit exit, Answer answer, RunningService? running = null) =>
        Step(state, "attention not applied", running, (asked, old) => asked == service ? asked.NotApplied(old, exit, answer) : old);

    /// <summary>Tells the service that has an interrupt that it fired; false where none has it, or the one that has cannot be told.</summary>
    private bool TryFire(ref MachineState state, Mpidr core, uint intid, IReadOnlyCollection<Service>? except, RunningService? running, out ServiceFailure? failure)
    {
        failure = null;
        foreach (var index in _active)
        {
            var service = Services[index];
            if (!service.HasInterrupts || (except is not null && except.Contains(service)))
            {
                continue;
            }

            running?.Enter(service, Interrupt, core);
            try
            {
                if (service.Holds(state[index], intid))
                {
                    state = state.With(index, service.Fired(state[index], core, intid) ?? throw new InvalidOperationException("The service returned no state."));
                    return true;
                }
            }
            catch (Exception e)
            {
                failure = new(service, Interrupt, e);
            }
        }

        return false;
    }

    // An interrupted core has no call that results could belong to. What fired and is nobody's is the guest's again.
    private static Answer Attended(in Answer answer, AttentionExit exit, bool isHeld) => Answer.NoResults with
    {
        Writes = answer.Writes,
        EndedInterrupts = answer.EndedInterrupts,
        ReturnedInterrupts = isHeld || answer.ReturnedInterrupts.Contains(exit.Intid!.Value) ? answer.ReturnedInterrupts : [.. answer.ReturnedInterrupts, exit.Intid.Value],
        Then = answer.Then,
    };
}
