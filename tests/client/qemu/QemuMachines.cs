using Hypercalls.Tests.Client.Kvm;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Tests that run a QEMU: one after another, since each keeps the machine busy.</summary>
[CollectionDefinition(Name)]
public sealed class QemuMachines : ICollectionFixture<GuestImages>, ICollectionFixture<BootedKernels>
{
    public const string Name = "QEMU";
}
