// A vCPU host of two cores on client/library; what they run is in Guest.cs. dotnet run [ADDRESS]
using Hypercalls.Client;
using Hypercalls.Examples;
using Hypercalls.Grpc;
using Hypercalls.Protos;
using Effect = Hypercalls.Protos.Answer.EffectOneofCase;

Core[] cores = [new() { Mpidr = 0, Power = CorePower.On }, new() { Mpidr = 1, Power = CorePower.Off }];
// The machine as it is: cores follow their power, and the library says Hello again whenever the connection was lost.
var hello = new Hello { Machine = $"toy-{Environment.ProcessId}", Host = "the toy host in C#", Boot = 1, ClientEl = 1, Cores = { cores } };
hello.Conduits.Add(Conduit.Hvc);
hello.Ram.Add(new MemoryRange { Base = 0x4000_0000, Size = 0x1000_0000 });
var previous = new Previous?[2]; // What became of each core's last exit; its next one says so, also after CPU_OFF and CPU_ON.
var order = new Lock();
var end = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);

using var channel = HttpChannel.ForAddress(args is [var address] ? GrpcAddress.Parse(address) : GrpcAddress.Unix(LocalSocket.DefaultPath));
// No kernel keeps calls for itself. Attention is for hosts that can stop a core between two calls.
await using var machine = await MachineSession.AttachAsync(
    channel.CreateCallInvoker(), hello.Clone, KernelShare.None("there is none"), (_, _) => { }, new() { Log = Console.WriteLine });
Start(0, Guest.Boot, contextId: 0);
var reason = await end.Task;
Console.WriteLine($"host: {reason}");
await machine.DetachAsync(reason);

void Start(ulong core, ulong entryPoint, ulong contextId) => new Thread(() => Run(core, entryPoint, contextId)) { IsBackground = true }.Start();

// One thread owns a vCPU: it makes an exit, waits for the answer, applies it, goes on.
void Run(ulong core, ulong entryPoint, ulong contextId)
{
    using var vcpu = machine.OpenVcpu(core);
    foreach (var x in Guest.Code[entryPoint](contextId))
    {
        var exit = new Exit { ExitId = (previous[core]?.ExitId ?? 0) + 1, Boot = 1, Previous = previous[core] };
        exit.Hypercall = new() { Conduit = Conduit.Hvc, Imm = 0, X0 = x[0], X1 = x[1], X2 = x[2], X3 = x[3], X4 = x[4], X5 = x[5], Pstate = 0x3C5 };
        var answer = vcpu.Forward(exit); // Throws where the call must not return and nobody answers: this process ends, and so the machine.
        previous[core] = new() { ExitId = exit.ExitId, Outcome = Outcome.Applied, LastApplied = exit.ExitId };
        if (answer is not { Masked: null, MemoryWrites.Count: 0, EffectCase: Effect.None or Effect.PowerOn or Effect.PowerOff or Effect.SystemEvent })
        {
            // No answer, or one that this host cannot apply: the guest finds NOT_SUPPORTED, and the daemon is told.
            answer = new() { Values = new() { X0 = ulong.MaxValue } };
            previous[core] = new() { ExitId = exit.ExitId, Outcome = Outcome.FellBack, LastApplied = exit.Previous?.LastApplied ?? 0 };
            vcpu.GaveUp(exit);
        }

        (x[0], x[1], x[2], x[3]) = answer.Values is { } written ? (written.X0, written.X1, written.X2, written.X3) : (x[0], x[1], x[2], x[3]);
        using var turn = order.EnterScope(); // Changes of power and their reports have one order, whichever core makes them.
        switch (answer.EffectCase)
        {
            case Effect.PowerOn when answer.PowerOn is { Core: < 2 } on && cores[on.Core].Power == CorePower.Off && Guest.Code.ContainsKey(on.EntryPoint):
                cores[on.Core].Power = CorePower.On;
                machine.CoreStateChanged(on.Core, CoreChange.Started, answer.Commit);
                Start(on.Core, on.EntryPoint, on.ContextId);
                break;
            case Effect.PowerOn:
                machine.CoreStateChanged(answer.PowerOn.Core, CoreChange.Refused, answer.Commit);
                x[0] = answer.PowerOn.IfRefused;
                break;
            case Effect.PowerOff:
                cores[core].Power = CorePower.Off;
                machine.CoreStateChanged(core, CoreChange.Stopped, answer.Commit);
                return;
            case Effect.SystemEvent:
                end.TrySetResult($"system event {answer.SystemEvent.Type}");
                return;
        }
    }

    end.TrySetResult($"core {core} has no more code");
}
