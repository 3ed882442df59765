using Hypercalls.Bench.Load;
using Hypercalls.Client;

namespace Hypercalls.Bench.Hosts;

/// <summary>A vCPU that calls PSCI_VERSION on its stream.</summary>
internal sealed class StreamCaller(VcpuSession vcpu) : ICaller
{
    private ulong _exitId;

    public void Call()
    {
        var answer = vcpu.Forward(PsciVersionCall.Exit(++_exitId));
        if (answer?.Values?.X0 != PsciVersionCall.Version)
        {
            throw new BenchException(answer is null ? $"An exit fell back: {vcpu.LastFault}" : $"PSCI_VERSION is answered {answer}.");
        }
    }

    public void Dispose() => vcpu.Dispose();
}
