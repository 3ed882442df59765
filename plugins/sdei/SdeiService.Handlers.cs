using Hypercalls.Sdk;
using static Hypercalls.Sdei.SdeiStatus;

namespace Hypercalls.Sdei;

/// <summary>Inside a handler, and out of it (DEN0054, SDEI_EVENT_CONTEXT; SDEI_EVENT_COMPLETE; SDEI_EVENT_COMPLETE_AND_RESUME).</summary>
public sealed partial class SdeiService
{
    private const int SavedRegisters = 18;

    private static Outcome<SdeiState> EventContext(in Hypercall call, SdeiState state) =>
        call[1] >= SavedRegisters ? Status(InvalidParameters)
        : state.Pes[state.IndexOf(call.Core)].Running is { } frame ? Answer.Value(frame.X[(int)call[1]])
        : Status(Denied);

    // What the status says is for the platform, and this one does nothing with it (DEN0054, SDEI_EVENT_COMPLETE).
    private Outcome<SdeiState> EventComplete(in Hypercall call, SdeiState state) =>
        Leave(call, state, frame => Restored(frame) with { Pc = frame.Pc, Pstate = frame.Pstate });

    private Outcome<SdeiState> EventCompleteAndResume(in Hypercall call, SdeiState state)
    {
        var address = call[1];
        if (address % InstructionSize != 0)
        {
            return Status(InvalidParameters);
        }

        var resume = state.Entry.Resume;
        return Leave(call, state, frame => Restored(frame) with
        {
            Pc = address,
            Pstate = resume,
            System = [new(SystemRegister.ElrElc, frame.Pc), new(SystemRegister.SpsrElc, frame.Pstate.Value)],
        });
    }

    private Outcome<SdeiState> Leave(in Hypercall call, SdeiState state, Func<HandlerFrame, Effect.Load> load)
    {
        var pe = state.IndexOf(call.Core);
        if (state.Pes[pe].Running is not { } frame)
        {
            return Status(Denied);
        }

        ValueArray<uint> ended = _events.Interrupt(frame.Event, state) is { } intid ? [intid] : [];
        state = Remember(call, Completed(state, pe), new(call.Function) { Left = frame });
        return (state, Answer.NoResults with { Then = load(frame), EndedInterrupts = ended });
    }

    private static Effect.Load Restored(HandlerFrame frame)
    {
        var registers = new RegisterValue[SavedRegisters];
        for (var n = 0; n < SavedRegisters; n++)
        {
            registers[n] = new(n, frame.X[n]);
        }

        return new() { Registers = ValueArray.Of<RegisterValue>(registers) };
    }

    /// <summary>The innermost handler of a PE has completed.</summary>
    private static SdeiState Completed(SdeiState state, int pe)
    {
        var done = state.Pes[pe].Running!.Event;
        var record = state.Record(done, pe);
        var next = HandlerTransitions.Of(record.State, HandlerStep.Complete).Next ?? record.State;
        state = state.With(done, pe, record.In(next));
        return state.With(pe, state.Pes[pe].Leave());
    }
}
