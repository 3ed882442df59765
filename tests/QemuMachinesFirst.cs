using Hypercalls.Tests.Client.Qemu;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Hypercalls.Tests." + nameof(Hypercalls.Tests.QemuMachinesFirst), "Hypercalls.Tests")]

namespace Hypercalls.Tests;

/// <summary>Tests that run a QEMU take longest, one after another: all the others run beside them.</summary>
public sealed class QemuMachinesFirst : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => collection.DisplayName != QemuMachines.Name);
}
