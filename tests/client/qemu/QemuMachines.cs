namespace Hypercalls.Tests.Client.Qemu;

/// <summary>Tests that run a QEMU: one after another, since each keeps the machine busy.</summary>
[CollectionDefinition(Name)]
public sealed class QemuMachines : ICollectionFixture<GuestImages>
{
    public const string Name = "QEMU";
}
