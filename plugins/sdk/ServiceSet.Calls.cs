using System.Runtime.CompilerServices;

namespace Hypercalls.Sdk;

/// <summary>What follows a function's code: the end of a long one, events that it raises at others.</summary>
public sealed partial class ServiceSet
{
    /// <summary>Does what a function does outside the machine's turn, on this thread.</summary>
    /// <param name="call">The call.</param>
    /// <param name="served">What <see cref="Serve"/> gave.</param>
    /// <param name="cancelled">Cancelled when nobody waits for it any longer.</param>
    /// <returns>For <see cref="Finish"/>; never an exception.</returns>
    public static FinishedWork Run(in Hypercall call, in Served served, CancellationToken cancelled)
    {
        if (served is not { Work: { } work, Service: { } service, Function: { } function })
        {
            throw new ArgumentException("The function has nothing to do.", nameof(served));
        }

        RunningService.EnterApart(new(service, function.Name), call.Machine.Name, call.Core);
        try
        {
            return work.Run(cancelled);
        }
        finally
        {
            RunningService.LeaveThread();
        }
    }

    /// <summary>The end of a long function.</summary>
    /// <param name="call">The call.</param>
    /// <param name="finished">What it has done.</param>
    /// <param name="state">The states it finds now.</param>
    /// <param name="running">Told which service runs; null where nobody waits.</param>
    /// <returns>As for any call; NOT_SUPPORTED where the service takes no part any longer.</returns>
    public Served Finish(in Hypercall call, FinishedWork finished, MachineState state, RunningService? running = null)
    {
        ArgumentNullException.ThrowIfNull(finished);
        if (FindRoute(call.Function, call.Conduit, call.Immediate, call.Pstate.IsAArch32) is not { } route)
        {
            return new(state, Answer.NotSupported, null, null, null);
        }

        running?.Enter(route.Stay, call.Core);
        try
        {
            return Answered(finished.Finish(state[route.Service]), call, state, route, running);
        }
        catch (Exception e)
        {
            return Failed(state, route, e);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Served Failed(MachineState state, Route route, Exception fault)
    {
        var service = route.Stay.Service;
        return new(state, Answer.NotSupported, service, route.Function, new(service, route.Function.Name, fault));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Served Unfinished(object more, in Hypercall call, MachineState state, Route route)
    {
        var need = more as Need;
        need?.Check(call);
        return new(state, Answer.NotSupported, route.Stay.Service, route.Function, null) { Need = need, Work = more as LongWork };
    }

    private Served Answered(in Rendered rendered, in Hypercall call, MachineState state, Route route, RunningService? running)
    {
        AnswerShape.Check(rendered.Answer, call);
        var next = rendered.State is null ? state : state.With(route.Service, rendered.State);
        var served = new Served(next, Widen(rendered.Answer, call), route.Stay.Service, route.Function, null) { Cut = CutOf(rendered.Answer, call) };
        return rendered.Answer.Raises.Count == 0 ? served : Raise(served, call, state, running);
    }

    /// <summary>Raises the events of an answer at other services: all of it or, where one is refused that the answer insists on, nothing.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Served Raise(in Served served, in Hypercall call, MachineState before, RunningService? running)
    {
        var state = served.State;
        List<string> refused = [];
        foreach (var raise in served.Answer.Raises)
        {
            Raised raised;
            if (Taker(raise, served.Service!) is { } taker)
            {
                raised = Raise(state, taker, new(raise.Event, raise.Core, call.Machine, call.Now), running);
            }
            else
            {
                raised = new(state, RaiseResult.Refused, $"{raise.Service ?? "no other service, or more than one,"} takes no events", null);
            }

            if (raised.Failure is not null)
            {
                return new(before, Answer.NotSupported, served.Service, served.Function, raised.Failure);
            }

            state = raised.State;
            if (raised.Result == RaiseResult.Refused)
            {
                refused.Add($"{raise} was refused: {raised.Text}");
                if (raise.IfRefused is { } status)
                {
                    return new(before, Answer.Status(status), served.Service, served.Function, null) { Note = PrintableText.Of(refused[^1]) };
                }
            }
        }

        return served with { State = state, Note = refused.Count == 0 ? null : PrintableText.Of(string.Join("; ", refused)) };
    }

    private Service? Taker(in EventToRaise raise, Service raiser)
    {
        Service? only = null;
        foreach (var index in _active)
        {
            var service = Services[index];
            if (!service.IsRaisable || service == raiser || (raise.Service is { } name && !name.Equals(service.Name, StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            if (only is not null)
            {
                return null;
            }

            only = service;
        }

        return only;
    }
}
