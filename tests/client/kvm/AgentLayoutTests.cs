using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

public sealed class AgentLayoutTests
{
    [Fact]
    public void Is_that_of_the_header_constant_by_constant() => LayoutHeader.IsThatOf(typeof(AgentLayout), "tests/kernels/Agent/agent.h");
}
