using Grpc.Core;
using Hypercalls.Bench.Load;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Hosts;

/// <summary>PSCI_VERSION on a core of an attached machine, a gRPC call each.</summary>
internal sealed class UnaryCaller(CallInvoker daemon, string machine, ulong mpidr) : ICaller
{
    private readonly Protos.Hypercalls.HypercallsClient _daemon = new(daemon);
    private readonly CallRequest _request = new() { Id = PsciVersionCall.Id, Machine = machine, Core = mpidr };

    public void Call()
    {
        var reply = _daemon.Call(_request);
        if (reply.Results is not [PsciVersionCall.Version, ..])
        {
            throw new BenchException($"PSCI_VERSION is answered {reply}.");
        }
    }

    public void Dispose()
    {
    }
}
