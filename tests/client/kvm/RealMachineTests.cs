using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>How the machine of a real kernel ends.</summary>
[Collection(QemuMachines.Name)]
public sealed class RealMachineTests
{
    [RealKernelFact("6.12")]
    public void An_agent_that_is_asked_nonsense_ends_with_its_reason()
    {
        using var machine = RealMachine.Boot(RealKernel.Debian13);
        var failure = Assert.Throws<RealKernelException>(() =>
        {
            using var call = machine.Control.Begin(99);
            call.Send();
        });
        Assert.StartsWith("The agent has gone; QEMU ended with code 0.", failure.Message, StringComparison.Ordinal);
        Assert.Contains("agent: hc.control: op 99 is unknown", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_is_not_there_is_said_to_be_missing()
    {
        var failure = Assert.Throws<RealKernelException>(() => RealMachine.Boot(new RealKernel("0.0")));
        Assert.Matches("^Linux 0.0 is not in .*: tests/kernels/fetch.sh brings it.$", failure.Message);
    }
}
