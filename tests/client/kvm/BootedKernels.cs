using System.Collections.Concurrent;
using Hypercalls.RealKernels;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Real kernels, each booted once, when the first test needs it, for all tests that share it.</summary>
public sealed class BootedKernels : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<RealMachine>> _machines = new();

    /// <summary>The machine of a kernel's role: "6.1", "6.12" or "7.x".</summary>
    public RealMachine this[string role] => _machines.GetOrAdd(role, role => new(() => RealMachine.Boot(new RealKernel(role)))).Value;

    public void Dispose()
    {
        foreach (var machine in _machines.Values.Where(machine => machine.IsValueCreated))
        {
            machine.Value.Dispose();
        }
    }
}
