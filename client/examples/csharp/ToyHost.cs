using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Protos;
using static Hypercalls.Protos.Answer;

namespace Hypercalls.Examples;

/// <summary>A vCPU host of two cores: attaches the machine, forwards its calls, writes the results, carries the effects out.</summary>
/// <param name="codeAt">The guest's code at an address; null where there is none.</param>
internal sealed class ToyHost(Func<ulong, Func<ulong[], IEnumerable<ulong[]>>?> codeAt)
{
    private readonly TaskCompletionSource<string> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _power = new();
    private readonly bool[] _isOn = [true, false];
    private readonly Previous?[] _previous = new Previous?[2];
    private ulong _exitId;

    /// <summary>From attaching to the guest's last call.</summary>
    public async Task RunAsync(CallInvoker daemon, ulong entryPoint)
    {
        // Nobody can stop a C# function between two calls: attention is for hosts of real guests.
        await using var session = await MachineSession.AttachAsync(daemon, Describe, KernelShare.None("there is none"), (_, _) => { }, new() { Log = Console.WriteLine });
        Start(session, 0, codeAt(entryPoint)!, contextId: 0);
        var reason = await _end.Task;
        Console.WriteLine($"host: {reason}");
        await session.DetachAsync(reason);
    }

    // As the machine is now: asked again whenever the connection was lost.
    private Hello Describe() => new()
    {
        Machine = $"toy-{Environment.ProcessId}",
        Host = "the toy host in C#",
        Boot = 1,
        ClientEl = 1,
        Conduits = { Conduit.Hvc },
        Ram = { new MemoryRange { Base = 0x4000_0000, Size = 0x1000_0000 } },
        Cores = { _isOn.Select((isOn, mpidr) => new Core { Mpidr = (ulong)mpidr, Power = isOn ? CorePower.On : CorePower.Off }) },
    };

    private void Start(MachineSession session, ulong mpidr, Func<ulong[], IEnumerable<ulong[]>> code, ulong contextId)
    {
        var thread = new Thread(() => Run(session, mpidr, code, contextId)) { IsBackground = true };
        thread.Start();
    }

    private void Run(MachineSession session, ulong mpidr, Func<ulong[], IEnumerable<ulong[]>> code, ulong contextId)
    {
        using var daemon = session.OpenVcpu(mpidr);
        var x = new ulong[6];
        x[0] = contextId;
        try
        {
            foreach (var call in code(x))
            {
                call.CopyTo(x, 0);
                if (!Serve(session, daemon, mpidr, x))
                {
                    return;
                }
            }
        }
        catch (MachineStopsException e)
        {
            _end.TrySetResult(e.Message);
        }
    }

    /// <summary>One call, and whether the core goes on after it.</summary>
    private bool Serve(MachineSession session, VcpuSession daemon, ulong mpidr, ulong[] x)
    {
        var call = new HypercallExit { Conduit = Conduit.Hvc, Imm = 0, X0 = x[0], X1 = x[1], X2 = x[2], X3 = x[3], X4 = x[4], X5 = x[5], Pstate = 0x3C5 };
        var exit = new Exit { ExitId = Interlocked.Increment(ref _exitId), Boot = 1, Previous = _previous[mpidr], Hypercall = call };
        var answer = daemon.Forward(exit);
        if (answer is null or { ResultsCase: ResultsOneofCase.Masked }
            || answer.EffectCase is not (EffectOneofCase.None or EffectOneofCase.PowerOn or EffectOneofCase.PowerOff or EffectOneofCase.SystemEvent))
        {
            // No answer, or one that this host cannot apply: the guest gets NOT_SUPPORTED, and the daemon is told.
            (x[0], x[1], x[2], x[3]) = (ulong.MaxValue, 0, 0, 0);
            _previous[mpidr] = new() { ExitId = exit.ExitId, Outcome = Outcome.FellBack, LastApplied = _previous[mpidr]?.LastApplied ?? 0 };
            daemon.GaveUp(exit);
            return true;
        }

        if (answer.Values is { } results)
        {
            (x[0], x[1], x[2], x[3]) = (results.X0, results.X1, results.X2, results.X3);
        }

        _previous[mpidr] = new() { ExitId = exit.ExitId, Outcome = Outcome.Applied, LastApplied = exit.ExitId };
        switch (answer.EffectCase)
        {
            case EffectOneofCase.PowerOn:
                x[0] = TryStart(session, answer.PowerOn, answer.Commit) ? x[0] : answer.PowerOn.IfRefused;
                return true;
            case EffectOneofCase.PowerOff:
                Stop(session, mpidr, answer.Commit);
                return false;
            case EffectOneofCase.SystemEvent:
                return !_end.TrySetResult($"system event {answer.SystemEvent.Type}");
            default:
                return true;
        }
    }

    // Changes and their reports in one order, whichever core makes them.
    private bool TryStart(MachineSession session, PowerOn effect, ulong commit)
    {
        lock (_power)
        {
            if (effect.Core > 1 || _isOn[effect.Core] || codeAt(effect.EntryPoint) is not { } code)
            {
                session.CoreStateChanged(effect.Core, CoreChange.Refused, commit);
                return false;
            }

            Console.WriteLine($"host: core {effect.Core} starts at 0x{effect.EntryPoint:x}");
            _isOn[effect.Core] = true;
            session.CoreStateChanged(effect.Core, CoreChange.Started, commit);
            Start(session, effect.Core, code, effect.ContextId);
            return true;
        }
    }

    private void Stop(MachineSession session, ulong mpidr, ulong commit)
    {
        lock (_power)
        {
            Console.WriteLine($"host: core {mpidr} is off");
            _isOn[mpidr] = false;
            session.CoreStateChanged(mpidr, CoreChange.Stopped, commit);
        }
    }
}
