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
    private readonly uint _id;
    private readonly ulong _argument;
    private readonly ulong _expected;
    private ulong _exitId;

    /// <summary>PSCI_VERSION: neither arguments nor state.</summary>
    public static DispatchBatch Stateless(IServiceProvider daemon) => new(daemon, PsciVersionCall.Id, 0, PsciVersionCall.Version);

    /// <summary>TRNG_RND of 64 bits, which counts its requests: another state after each.</summary>
    public static DispatchBatch Changing(IServiceProvider daemon) => new(daemon, 0xC400_0053, 64, 0);

    private DispatchBatch(IServiceProvider daemon, uint id, ulong argument, ulong expected)
    {
        (_id, _argument, _expected) = (id, argument, expected);
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
        registers[0] = _id;
        registers[1] = _argument;
        for (var i = 0; i < IBatch.Calls; i++)
        {
            var before = _exitId++;
            var head = new ExitHead(_exitId, PsciVersionCall.Boot, before == 0 ? null : new(before, true, before));
            var answered = _dispatcher.Hypercall(_machine, _core, head, new(Conduit.Smc, 0, registers, 0x3F, Pstate.El1h, _clock.GetTimestamp()));
            if (answered.Answer.X0 != _expected)
            {
                throw new BenchException($"0x{_id:X8} gave 0x{answered.Answer.X0:x}.");
            }
        }
    }
}
