using Hypercalls.Bench.Hosts;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.DependencyInjection;

namespace Hypercalls.Bench.InProcess;

/// <summary>From a call to its answer by the services' rules alone: nothing of the daemon.</summary>
internal sealed class ServiceBatch : IBatch
{
    private readonly ServiceSet _services;
    private readonly MachineState _state;
    private readonly Hypercall _call;

    public ServiceBatch(IServiceProvider daemon)
    {
        _services = daemon.GetRequiredService<ServiceSet>();
        var machine = daemon.GetRequiredService<MachineRegistry>().Scratch(default).Description;
        _state = _services.NewState(machine);
        _call = new()
        {
            Function = new(PsciVersionCall.Id),
            Conduit = Conduit.Smc,
            Pstate = Pstate.El1h,
            Machine = machine,
            Served = _services.SeenBy(Conduit.Smc, isAArch32: false),
        };
    }

    public void Prepare()
    {
    }

    public void Run()
    {
        for (var i = 0; i < IBatch.Calls; i++)
        {
            PsciVersionCall.Check(_services.Serve(_call, _state).Answer.X0);
        }
    }
}
