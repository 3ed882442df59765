using Hypercalls.Hello;
using Hypercalls.Psci;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Call Count, Call UID and Revision of owners, over all services (DEN0028, General service queries).</summary>
public sealed class GeneralQueryTests
{
    private static readonly Guid s_kvm = new("28b46fb6-2ec5-11e9-a9ca-4b564d003a74");

    [Theory]
    // owner, Call Count, one of its functions
    [InlineData(OwningEntity.Cpu, 0x8100_FF00, 0x8100_0010)]
    [InlineData(OwningEntity.SiliconPartner, 0x8200_FF00, 0xC200_0000)]
    [InlineData(OwningEntity.Oem, 0x8300_FF00, 0x8300_0000)]
    [InlineData(OwningEntity.StandardSecure, 0x8400_FF00, 0xC400_0020)]
    [InlineData(OwningEntity.StandardHypervisor, 0x8500_FF00, 0xC500_0020)]
    [InlineData(OwningEntity.VendorHypervisor, 0x8600_FF00, 0x8600_0001)]
    [InlineData(OwningEntity.VendorMonitor, 0x8700_FF00, 0xC700_0000)]
    [InlineData(OwningEntity.TrustedApplication, 0xB000_FF00, 0xB000_0000)]
    [InlineData(OwningEntity.TrustedApplication, 0xB000_FF00, 0xF100_0000)] // 49, the second of the range
    [InlineData(OwningEntity.TrustedOs, 0xBF00_FF00, 0xB200_0000)]
    [InlineData(OwningEntity.TrustedOs, 0xBF00_FF00, 0xFF00_0000)]
    [InlineData(OwningEntity.TrustedOs, 0xBF00_FF00, 0x3200_0004)] // a yielding call
    public void Each_owner_has_them_and_no_other(OwningEntity owner, uint callCount, uint function)
    {
        var machine = new TestMachine(new Declaring("S", new() { { function, "F", Nothing } }, new OwnerIdentity(owner, s_kvm, new(3, 4))));
        Assert.Equal(Answer.Value(1), machine.Call(callCount));
        Assert.Equal(Answer.Value(0xB66F_B428, 0xE911_C52E, 0x564B_CAA9, 0x743A_004D), machine.Call(callCount + 1));
        Assert.Equal(Answer.NotSupported, machine.Call(callCount + 2));
        Assert.Equal(Answer.Value(3, 4), machine.Call(callCount + 3));
        for (var oen = 0u; oen < 64; oen++)
        {
            for (uint number = 0xFF00; number <= 0xFF05; number++)
            {
                foreach (var type in (uint[])[0x8000_0000, 0xC000_0000, 0x0000_0000, 0x4000_0000])
                {
                    var id = type | oen << 24 | number;
                    var isOne = id == callCount || id == callCount + 1 || id == callCount + 3;
                    Assert.Equal(isOne, machine.Services.Contains(new(id)));
                }
            }
        }
    }

    [Fact]
    public void Counts_every_identifier_of_every_service_but_the_queries()
    {
        var machine = new TestMachine(
            new TableService("ONE", new() { { 0x8200_0010, 0xC200_0010, "TWINS", Nothing }, { 0x8200_0011, "SINGLE", Nothing }, { 0x8000_8000, "SMCCC_ARCH_WORKAROUND_1", Nothing } }),
            new TableService("TWO", new() { { 0xC200_0020, "OTHER", Nothing }, { 0x8200_FF03, "REVISION", Nothing }, { 0x8300_0000, "ELSEWHERE", Nothing } }));
        Assert.Equal(Answer.Value(4), machine.Call(0x8200_FF00));
        Assert.Equal(Answer.Value(1), machine.Call(0x8300_FF00));
        Assert.Equal(Answer.NotSupported, machine.Call(0x8400_FF00));
        Assert.Equal(Answer.NotSupported, machine.Call(0x8000_FF00));
    }

    [Fact]
    public void The_count_of_Standard_Secure_is_PSCI_s_and_PSCI_FEATURES_knows_none_of_them()
    {
        var machine = new TestMachine(new PsciService(), new HelloService());
        Assert.Equal(Answer.Value((ulong)new PsciService().Rows.Sum(row => row.Ids.Count)), machine.Call(0x8400_FF00));
        Assert.Equal(Answer.Status(-1), machine.Call(0x8400_000A, 0x8400_FF00));
        Assert.Equal(Answer.Status(-1), machine.Call(0x8400_FF01));
        Assert.Equal(Answer.Status(-1), machine.Call(0x8400_FF03));
    }

    [Fact]
    public void Both_conduits_and_both_execution_states_have_them()
    {
        var machine = new TestMachine(new HelloService());
        Assert.All([machine.Core(0), machine.Core(0).Smc, machine.Core(0).AArch32], core => Assert.Equal(Answer.Value(4), core.Call(0x8200_FF00)));
        Assert.Equal(Answer.Value(4), machine.Call(0x8201_FF00)); // with the SVE hint
        Assert.Equal(Answer.NotSupported, machine.Call(0xC200_FF00));
    }

    [Fact]
    public void A_service_s_own_row_wins()
    {
        var machine = new TestMachine(new Declaring(
            "OWN", new() { { 0x8600_FF00, "MY_COUNT", (in _) => Answer.Value(99) }, { 0x8600_0001, "F", Nothing } }, new OwnerIdentity(OwningEntity.VendorHypervisor, s_kvm)));
        Assert.Equal(Answer.Value(99), machine.Call(0x8600_FF00));
        Assert.Equal(0xB66F_B428ul, machine.Call(0x8600_FF01).X0);
        Assert.Equal(("OWN", "MY_COUNT"), Who(machine, 0x8600_FF00));
        Assert.Equal(("GENERAL_QUERIES", "VENDOR_HYP_CALL_UID"), Who(machine, 0x8600_FF01));
    }

    [Fact]
    public void Services_that_agree_complement_each_other_and_the_operator()
    {
        var services = new ServiceSet(
            [
                new Declaring("ONE", [], new OwnerIdentity(OwningEntity.Oem, s_kvm)),
                new Declaring("TWO", [], new OwnerIdentity(OwningEntity.Oem, s_kvm, new(1, 0))),
            ],
            [new OwnerIdentity(OwningEntity.SiliconPartner, revision: new(0, 1))]);
        Assert.Equal(
            ["OEM_CALL_UID", "OEM_REVISION", "SIP_REVISION"],
            services.All[^1].Rows.Select(row => row.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Services_that_say_different_things_conflict()
    {
        var one = new Declaring("ONE", [], new OwnerIdentity(OwningEntity.Oem, s_kvm, new(1, 0)));
        var two = new Declaring("TWO", [], new OwnerIdentity(OwningEntity.Oem, s_kvm, new(1, 1)));
        Assert.Equal("OEM_REVISION is 1.0 for ONE and 1.1 for TWO.", Assert.Throws<ServiceConflictException>(() => new ServiceSet([one, two])).Message);
        Assert.Equal(
            "OEM_CALL_UID is 28b46fb6-2ec5-11e9-a9ca-4b564d003a74 for ONE and 0d21e000-4384-11eb-8070-5244554e5a4c for the configuration.",
            Assert.Throws<ServiceConflictException>(() => new ServiceSet([one], [new OwnerIdentity(OwningEntity.Oem, new("0d21e000-4384-11eb-8070-5244554e5a4c"))])).Message);
    }

    [Theory]
    [InlineData(OwningEntity.Architecture)] // it has SMCCC_VERSION
    [InlineData((OwningEntity)8)]           // reserved
    [InlineData((OwningEntity)49)]          // of a range, whose first number stands for it
    [InlineData((OwningEntity)63)]
    public void Other_owners_have_no_identity(OwningEntity owner) => Assert.Throws<ArgumentException>(() => new OwnerIdentity(owner));

    [Theory]
    [InlineData("ffffffff-2ec5-11e9-a9ca-4b564d003a74", true)] // W0 would be that of an unknown function
    [InlineData("fffffffe-2ec5-11e9-a9ca-4b564d003a74", false)]
    public void A_UID_must_not_read_as_an_unknown_function(string uid, bool isRefused) =>
        Assert.Equal(isRefused, Record.Exception(() => new OwnerIdentity(OwningEntity.Oem, new Guid(uid))) is ArgumentException);

    private static (string, string) Who(TestMachine machine, uint id)
    {
        var (service, function) = machine.Services.Find(new(id), Conduit.Smc, 0, false)!.Value;
        return (service.Name, function.Name);
    }

    private static Answer Nothing(in Hypercall call) => Answer.Success;

    private sealed class Declaring(string name, FunctionTable<TableState> functions, params OwnerIdentity[] owners) : Service<TableState>
    {
        public override string Name => name;

        public override string Version => "0";

        public override IReadOnlyList<OwnerIdentity> Owners => owners;

        public override FunctionTable<TableState> Functions => functions;
    }
}
