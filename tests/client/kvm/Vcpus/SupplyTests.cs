using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class SupplyTests
{
    private const ulong Ram = 0x4000_0000;
    private const ulong RamEnd = Ram + (64 << 20);

    [Fact]
    public void Registers_and_memory_come_as_they_are_asked_for()
    {
        var need = new Need
        {
            Registers = { 30, 0, 6 },
            System = { SystemRegister.VbarElc, SystemRegister.SpEl0, SystemRegister.SpEl1, SystemRegister.ElrElc, SystemRegister.SpsrElc, SystemRegister.SctlrElc },
            Memory = { new MemoryRange { Base = Ram + 0x1001, Size = 2 }, new MemoryRange { Base = RamEnd - 1, Size = 1 }, new MemoryRange { Base = RamEnd, Size = 0 } },
        };
        Assert.Equal(
            new Supply
            {
                ExitId = 0x1_0000_0001,
                Registers = { new Register { Index = 30, Value = 130 }, new Register { Index = 0, Value = Vendor }, new Register { Index = 6, Value = 106 } },
                System =
                {
                    new SystemRegisterValue { Register = SystemRegister.VbarElc, Value = 1 }, new SystemRegisterValue { Register = SystemRegister.SpEl0, Value = 2 },
                    new SystemRegisterValue { Register = SystemRegister.SpEl1, Value = 3 }, new SystemRegisterValue { Register = SystemRegister.ElrElc, Value = 4 },
                    new SystemRegisterValue { Register = SystemRegister.SpsrElc, Value = 5 }, new SystemRegisterValue { Register = SystemRegister.SctlrElc, Value = 0x30d0_0800 },
                },
                Memory =
                {
                    new MemoryBlock { Base = Ram + 0x1001, Data = Google.Protobuf.ByteString.CopyFrom(8, 9) },
                    new MemoryBlock { Base = RamEnd - 1, Data = Google.Protobuf.ByteString.CopyFrom(77) },
                    new MemoryBlock { Base = RamEnd },
                },
            },
            SupplyOf(need));
    }

    // One row for each thing that does not exist or is too much; the exit is the one that is being forwarded.
    public static TheoryData<string, Need> Refused => new()
    {
        { "x31", new Need { Registers = { 31 } } },
        { "a register far out", new Need { Registers = { uint.MaxValue } } },
        { "no system register", new Need { System = { SystemRegister.Unspecified } } },
        { "a system register that nobody knows", new Need { System = { (SystemRegister)7 } } },
        { "an interrupt", new Need { Interrupts = { 33 } } },
        { "memory below RAM", new Need { Memory = { new MemoryRange { Base = Ram - 1, Size = 2 } } } },
        { "memory above RAM", new Need { Memory = { new MemoryRange { Base = RamEnd - 1, Size = 2 } } } },
        { "memory that wraps", new Need { Memory = { new MemoryRange { Base = Ram, Size = ulong.MaxValue } } } },
        { "too much at once", new Need { Memory = { new MemoryRange { Base = Ram, Size = (32 << 10) + 1 } } } },
        { "too much together", new Need { Memory = { new MemoryRange { Base = Ram, Size = 32 << 10 }, new MemoryRange { Base = Ram, Size = 1 } } } },
        { "another exit", new Need { ExitId = 0x1_0000_0002 } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_not_there_is_not_supplied(string what, Need need)
    {
        Assert.NotEmpty(what);
        Assert.Null(SupplyOf(need));
    }

    [Fact]
    public void As_much_as_a_message_can_hold_is_supplied() =>
        Assert.Equal(32 << 10, SupplyOf(new() { Memory = { new MemoryRange { Base = Ram, Size = 16 << 10 }, new MemoryRange { Base = Ram, Size = 16 << 10 } } })!.Memory.Sum(block => block.Data.Length));

    [Fact]
    public void Nothing_is_supplied_of_an_exit_that_is_over_or_a_core_that_is_not_there()
    {
        using var host = new FakeHost(Guest);
        host.Respond = (_, exit) =>
        {
            Assert.Null(host.Machine.Supply(1, new() { ExitId = exit.ExitId }));
            Assert.NotNull(host.Machine.Supply(0, new() { ExitId = exit.ExitId }));
            return Values(0);
        };
        Assert.Null(host.Machine.Supply(0, new()));
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Null(host.Machine.Supply(0, new() { ExitId = 0x1_0000_0002 }));
    }

    private static Supply? SupplyOf(Need need)
    {
        Supply? supply = null;
        using var host = new FakeHost(Guest);
        host.Respond = (mpidr, exit) =>
        {
            var asked = need.Clone();
            asked.ExitId = need.ExitId == 0 ? exit.ExitId : need.ExitId;
            supply = host.Machine.Supply(mpidr, asked);
            return Values(0);
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        return supply;
    }

    private static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
    {
        ulong[] system = [KvmRegisterId.VbarEl1, KvmRegisterId.SpEl0, KvmRegisterId.SpEl1, KvmRegisterId.ElrEl1, KvmRegisterId.SpsrEl1];
        for (var n = 0; n < system.Length; n++)
        {
            cpu[system[n]] = (ulong)n + 1;
        }
        for (var n = 1; n < 31; n++)
        {
            cpu[KvmRegisterId.X(n)] = 100 + (ulong)n;
        }
        cpu.Vm.Store(Ram + 0x1000, [7, 8, 9, 10]);
        cpu.Vm.Store(RamEnd - 1, [77]);
        cpu.With(Vendor);
        yield return FakeStep.Smc();
        yield return PowerOff(cpu);
    }
}
