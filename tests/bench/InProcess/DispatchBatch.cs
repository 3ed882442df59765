using Hypercalls.Bench.Hosts;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.DependencyInjection;
using DaemonMachine = Hypercalls.Daemon.Machines.Machine;

namespace Hypercalls.Bench.InProcess;

/// <summary>The dispatcher, on a machine with one core: all but the wire.</summary>
internal sealed class DispatchBatch : IBatch
{
    private readonly Dispatcher _dispatcher;
    private readonly TimeProvider _clock;
    private readonly DaemonMachine _machine;
    private readonly CoreSlot _core;
    private ulong _exitId;

    public DispatchBatch(IServiceProvider daemon)
    {
        _dispatcher = daemon.GetRequiredService<Dispatcher>();
        _clock = daemon.GetRequiredService<TimeProvider>();
        _machine = daemon.GetRequiredService<MachineRegistry>().Scratch(default);
        _core = _machine.Core(default)!;
    }

    public void Prepare()
    {
    }

    public void Run()
    {
        var registers = new CallRegisters();
        registers[0] = PsciVersionCall.Id;
        for (var i = 0; i < IBatch.Calls; i++)
        {
            var before = _exitId++;
            var head = new ExitHead(_exitId, PsciVersionCall.Boot, before == 0 ? null : new(before, true, before));
            var answered = _dispatcher.Hypercall(_machine, _core, head, new(Conduit.Smc, 0, registers, 0x3F, Pstate.El1h, _clock.GetTimestamp()));
            PsciVersionCall.Check(answered.Answer.X0);
        }
    }
}
