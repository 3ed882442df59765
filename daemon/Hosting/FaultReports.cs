using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Hosting;

/// <summary>Faults of services, for the operator.</summary>
internal sealed class FaultReports(ILogger<FaultReports> log) : IServiceFaults
{
    public void Report(string machine, ServiceFailure failure) => Log.Fault(log, machine, failure.ToString());

    public void Report(string machine, string sentence) => Log.Fault(log, machine, sentence);
}
