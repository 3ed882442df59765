using Hypercalls.Client.Kernel;
using Hypercalls.RealKernels;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>The real kernels that one test uses; at its end none holds anything of it.</summary>
internal sealed class UsedKernels(BootedKernels kernels) : IDisposable
{
    private readonly HashSet<string> _used = [];

    public RealMachine this[string role]
    {
        get
        {
            _used.Add(role);
            return kernels[role];
        }
    }

    public BareVm Boot(string role) => new(this[role]);

    /// <summary>With a filter that forwards one function.</summary>
    public BareVm Boot(string role, uint function)
    {
        var vm = Boot(role);
        vm.Vm.SetFilter(new(function, function, FilterAction.Forward));
        return vm;
    }

    public void Dispose()
    {
        foreach (var role in _used)
        {
            Assert.Equal((0u, 0u, 0u), kernels[role].Leftovers());
        }
    }
}
