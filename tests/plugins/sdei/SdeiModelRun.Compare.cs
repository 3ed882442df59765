using System.Globalization;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdei;

/// <summary>Answers, wanted cores, and the status of each event, held against the model's.</summary>
internal sealed partial class SdeiModelRun
{
    private void Compare()
    {
        Assert.Empty(_machine.Failures);
        Assert.Equal(_model.Dropped, Sdei.Dropped(_machine));
        for (var pe = 0; pe < _sleeps.Length; pe++)
        {
            Assert.True(_model.WantsAttention(pe) == _machine.Core(pe).WantsAttention, $"Core {pe} wants attention: {_model.WantsAttention(pe)} was expected.");
            foreach (var number in _model.Pes[pe].IsOn ? Events : [])
            {
                var expected = Answer.Status((long)_model.Status(pe, number));
                var status = Look(pe, number);
                Assert.True(expected == Plain(status), string.Create(CultureInfo.InvariantCulture, $"core {pe}, STATUS of 0x{number:X}: {expected.X0} was expected; {status}"));
            }
        }
    }

    /// <summary>EVENT_STATUS without an exit: a call would be the core's last.</summary>
    private Answer Look(int pe, uint number)
    {
        var registers = new CallRegisters();
        (registers[0], registers[1]) = (Ids.EventStatus, number);
        var call = new Hypercall
        {
            Function = new(Ids.EventStatus),
            Conduit = Conduit.Hvc,
            Core = Mpidr.FromRegister(_platform.Cores[pe]),
            Pstate = _platform.ClientEl == 2 ? Pstate.El2h : Pstate.El1h,
            Machine = _machine.Description,
            Registers = registers,
            Served = _machine.Services,
        };
        return _machine.Services.Serve(call, _machine.Services.Initial().With(0, Sdei.State(_machine))).Answer;
    }

    private static void Same(in Answer expected, in Answer answer)
    {
        if (Plain(expected) != Plain(answer))
        {
            Assert.Fail($"Expected: {expected}{Environment.NewLine}Actual:   {answer}");
        }
    }

    // Status and data are the same 64 bits to an SMC64 caller; ends of interrupts have no order.
    private static Answer Plain(in Answer answer) => answer with
    {
        Kind = answer.Kind == ResultKind.Data ? ResultKind.Status : answer.Kind,
        EndedInterrupts = [.. answer.EndedInterrupts.Order()],
    };
}
