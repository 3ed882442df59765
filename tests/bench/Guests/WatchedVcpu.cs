using System.Diagnostics;
using Hypercalls.Bench.Hosts;
using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Guests;

/// <summary>Looks at what a vCPU hands over, and hands it on.</summary>
internal sealed class WatchedVcpu(IExitForwarder daemon, GuestMachine machine) : IExitForwarder
{
    private long _answered;

    public Answer? Forward(Exit exit)
    {
        var came = Stopwatch.GetTimestamp();
        if (exit.Attention is { } stopped && machine.TryStopRinging())
        {
            var resumed = daemon.Forward(exit);
            machine.Tell(new(What.Stopped, (ulong)came, stopped.Registers.Pc));
            return resumed;
        }

        if (exit.Hypercall is not { X0: PsciVersionCall.Id } call)
        {
            return daemon.Forward(exit);
        }

        machine.Clock.GuestFirst(call.X1, came);
        if (call.X2 != 0)
        {
            machine.Clock.HereFirst(_answered, call.X2);
        }

        var answer = daemon.Forward(exit);
        _answered = Stopwatch.GetTimestamp();
        machine.Tell(new((What)call.X3, call.X4, call.X5));
        return answer;
    }

    public uint Uses(Conduit conduit, uint imm, uint w0) => daemon.Uses(conduit, imm, w0);

    public void GaveUp(Exit exit)
    {
        daemon.GaveUp(exit);
        machine.Fail("an exit got no answer");
    }
}
