using Hypercalls.Client;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Guests;

/// <summary>Answers two functions on the spot, hands all else to the daemon, and keeps what the guest tells of the time that calls took (tests/Guest/kvm_calls.c).</summary>
/// <param name="daemon">The daemon's end.</param>
/// <param name="ioctls">Made so far for this vCPU.</param>
/// <param name="smc">Takes what is told by SMC.</param>
/// <param name="hvc">And by HVC.</param>
internal sealed class MeteredVcpu(IExitForwarder daemon, Func<long> ioctls, CallTimes smc, CallTimes hvc) : IExitForwarder
{
    private const ulong OnTheSpot = 0xC300_0030;
    private const ulong OnTheSpotGives = 7;
    private const ulong Tell = 0xC300_0031;

    private Previous? _previous;
    private (CallTimes Times, bool ChangesFour, long Ioctls)? _call;

    public Answer? Forward(Exit exit)
    {
        var made = ioctls();
        if (exit.Hypercall is not { } call)
        {
            return ToDaemon(exit);
        }
        var times = call.Conduit == Conduit.Smc ? smc : hvc;
        if (_call is var (before, changesFour, madeBefore) && before == times)
        {
            // Results are written with the run that follows: the call before ends here.
            times.TakeIoctls(made - madeBefore, changesFour);
        }
        _call = (times, call.X0 == Tell, made);
        return call.X0 switch
        {
            OnTheSpot => Answer(exit, new() { X0 = OnTheSpotGives }),
            Tell when call.X5 != 0 => throw new MachineStopsException($"{call.X5} calls of the guest by {call.Conduit} were answered wrongly."),
            Tell => Answer(exit, new() { X0 = times.Take(call) ? 1ul : 0, X1 = ~call.X1, X2 = ~call.X2, X3 = ~call.X3 }),
            _ => ToDaemon(exit),
        };
    }

    public uint Uses(Conduit conduit, uint imm, uint w0) => daemon.Uses(conduit, imm, w0);

    public void GaveUp(Exit exit) => throw new MachineStopsException("An exit got no answer.");

    private static Answer Answer(Exit exit, Results results) => new() { ExitId = exit.ExitId, Boot = exit.Boot, Values = results };

    private Answer? ToDaemon(Exit exit)
    {
        // The daemon wants to know what became of the last exit that it answered, and has not seen the others.
        exit.Previous = _previous;
        _previous = new() { ExitId = exit.ExitId, Outcome = Outcome.Applied, LastApplied = exit.ExitId };
        return daemon.Forward(exit);
    }
}
