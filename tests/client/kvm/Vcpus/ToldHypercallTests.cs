using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

/// <summary>What the daemon is told of a call, and what that costs.</summary>
public sealed class ToldHypercallTests
{
    private const ulong Elsewhere = 0x1_0000_0000;
    private const ulong MmuOn = 0x30d0_0801;

    [Fact]
    public void An_SMC_is_told_with_immediate_zero_and_no_memory_is_read()
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => Values(11, 12, 13, 14) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(
            new HypercallExit { Conduit = Conduit.Smc, Imm = 0, X0 = Vendor, X1 = 1, X2 = 2, X3 = 3, X4 = 4, X5 = 5, Pstate = 0x3c5 },
            host.Calls.First());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            // Where there is no RAM: an instruction could not be read.
            cpu.Pc = Elsewhere;
            cpu.With(Vendor, 1, 2, 3, 4, 5);
            yield return FakeStep.Smc();
            Assert.Equal((11ul, 12ul, 13ul, 14ul), cpu.Results);
            Assert.Equal((4ul, 5ul, Elsewhere + 4), (cpu.X(4), cpu.X(5), cpu.Pc));
            yield return PowerOff(cpu);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(0xffff)]
    public void An_HVC_is_told_with_the_immediate_that_stands_in_memory(ushort immediate)
    {
        using var host = new FakeHost(Guest);
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(
            new HypercallExit { Conduit = Conduit.Hvc, Imm = immediate, X0 = Vendor, Pstate = 0x3c5, Pc = Kernel + 4 },
            With(host.Calls.First(), call => call.X1 = 0));

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor, 0);
            yield return FakeStep.Hvc(immediate);
            yield return PowerOff(cpu);
        }
    }

    [Theory]
    [InlineData(Elsewhere, 0x30d0_0800ul, null)] // no RAM there
    [InlineData(Kernel, MmuOn, null)] // the tables lead nowhere
    [InlineData(Kernel, 0x30d0_0800ul, 0xd503_201fu)] // another instruction stands there by now: nop
    [InlineData(Kernel, 0x30d0_0800ul, 0xd400_0003u)] // and even an SMC
    public void An_immediate_that_cannot_be_known_is_absent(ulong pc, ulong sctlr, uint? opcode)
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => Values(7) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        var call = host.Calls.First();
        Assert.Equal((Conduit.Hvc, false, pc + 4), (call.Conduit, call.HasImm, call.Pc));

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.Pc = pc;
            cpu[KvmRegisterId.SctlrEl1] = sctlr;
            cpu.With(Vendor);
            yield return FakeStep.Call(isSmc: false, opcode);
            Assert.Equal(7ul, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    // conduit, instruction, T bit, NZCV, the immediate told
    [Theory]
    [InlineData(Conduit.Smc, 0xe160_0073u, false, 0ul, 3u)] // smc #3
    [InlineData(Conduit.Smc, 0x0160_0071u, false, 4ul, 1u)] // smceq #1, Z
    [InlineData(Conduit.Hvc, 0xe14f_ff7fu, false, 0ul, 0xffffu)] // hvc #0xffff
    [InlineData(Conduit.Hvc, 0x8003_f7e1u, true, 0ul, 0x1003u)] // T32 hvc #0x1003
    [InlineData(Conduit.Smc, 0x8000_f7f2u, true, 0ul, 2u)] // T32 smc #2
    public void An_AArch32_call_is_told_by_PSTATE_and_its_immediate_is_read(Conduit conduit, uint opcode, bool isThumb, ulong nzcv, uint immediate)
    {
        var pstate = 0x1d3 | (isThumb ? 1ul << 5 : 0) | nzcv << 28;
        using var host = new FakeHost(Guest, with: options => options with { KernelIsAArch32 = true });
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        var call = host.Calls.First();
        Assert.Equal((conduit, true, immediate, pstate, Kernel + 0x100 + 4), (call.Conduit, call.HasImm, call.Imm, call.Pstate, call.Pc));

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.Pc = Kernel + 0x100;
            cpu.Pstate = pstate;
            cpu.With(Vendor);
            yield return FakeStep.Call(conduit == Conduit.Smc, opcode);
            cpu.With(SystemOff);
            yield return FakeStep.Call(isSmc: true, 0xe160_0070);
        }
    }

    [Fact]
    public void An_AArch32_SMC_whose_condition_failed_is_no_call_and_changes_nothing()
    {
        using var host = new FakeHost(Guest, with: options => options with { KernelIsAArch32 = true });
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([SystemOff], host.Calls.Select(call => call.X0));
        Assert.Empty(host.GivenUp);
        Assert.Equal(1ul, host.Exits.Single().Exit.ExitId & uint.MaxValue);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            // Z is set: NE fails. Hardware may trap it all the same.
            cpu.Pstate = 0x1d3 | 4ul << 28;
            cpu.With(Vendor, 1, 2, 3);
            yield return FakeStep.Call(isSmc: true, 0x1160_0070);
            Assert.Equal((Vendor, 1ul, 2ul, 3ul), cpu.Results);
            Assert.Empty(cpu.LastSet);
            cpu.With(SystemOff);
            yield return FakeStep.Call(isSmc: true, 0xe160_0070);
        }
    }

    [Theory]
    [InlineData(0u, new uint[0])]
    [InlineData(1u << 6, new uint[] { 6 })]
    [InlineData(1u << 17 | 1u << 9, new uint[] { 9, 17 })]
    [InlineData(0xffff_ffffu, new uint[] { 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 })] // those of a call alone
    public void Exactly_the_registers_that_the_daemon_uses_come_with_a_call(uint uses, uint[] expected)
    {
        var asked = new List<(Conduit, uint, uint)>();
        using var host = new FakeHost(Guest)
        {
            Uses = (conduit, imm, w0) =>
            {
                asked.Add((conduit, imm, w0));
                return uses;
            },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(expected.Select(index => new Register { Index = index, Value = 100 + index }), host.Calls.First().Registers);
        // Upper halves are no part of a function identifier.
        Assert.Equal((Conduit.Hvc, 9u, 0xc600_0001u), asked[0]);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            for (var n = 6; n < 31; n++)
            {
                cpu[KvmRegisterId.X(n)] = 100 + (ulong)n;
            }
            cpu.With(Vendor | 0xdead_beef_0000_0000);
            yield return FakeStep.Hvc(9);
            yield return PowerOff(cpu);
        }
    }

    // instruction or null for an SMC, x0 as the guest has it, x0 as it is told
    [Theory]
    [InlineData(null, 0xdead_beef_c600_0001, 0xc600_0001)]
    [InlineData(0xd400_0002u, 0xdead_beef_c600_0001, 0xc600_0001)] // hvc #0
    [InlineData(0xd400_0022u, 0xdead_beef_c600_0001, 0xdead_beef_c600_0001)] // hvc #1
    [InlineData(0xd503_201fu, 0xdead_beef_c600_0001, 0xdead_beef_c600_0001)] // no immediate is known
    public void Of_x0_the_upper_half_is_told_where_it_may_mean_something(uint? opcode, ulong x0, ulong expected)
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => Values(7) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal(expected, host.Calls.First().X0);

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(x0);
            yield return opcode is null ? FakeStep.Smc() : FakeStep.Call(isSmc: false, opcode);
            Assert.Equal(7ul, cpu.X0);
            yield return PowerOff(cpu);
        }
    }

    // How the call comes, results, then the ioctls from one exit of this kind to the next: KVM_RUN, 6 to read x1 to x5 and PSTATE, one for each result that changes, and x0 always.
    // PC and SCTLR_EL1 for an HVC, and x0 where the immediate is not 0.
    [Theory]
    [InlineData(null, 0x1_0001, 0, 0, 0, 1 + 6 + 1)] // PSCI_VERSION: the usual call
    [InlineData(null, Vendor, 1, 2, 3, 1 + 6 + 1)] // nothing changes
    [InlineData(null, 7, 1, 2, 4, 1 + 6 + 2)]
    [InlineData(null, 7, 8, 9, 3, 1 + 6 + 3)]
    [InlineData(null, 7, 8, 9, 10, 1 + 6 + 4)] // as many as can
    [InlineData(0, 7, 1, 2, 3, 1 + 6 + 1 + 2)] // the guest's MMU is off
    [InlineData(1, 7, 1, 2, 3, 1 + 6 + 1 + 3)]
    [InlineData(1, Vendor, 1, 2, 3, 1 + 6 + 3)] // nothing changes, and that is known
    public void A_call_costs_no_more_ioctls_than_it_must(int? hvc, ulong x0, ulong x1, ulong x2, ulong x3, long ioctls)
    {
        var counts = new List<long>();
        var (first, second, third) = x0 == 0x1_0001 ? (0ul, 0ul, 0ul) : (1, 2, 3);
        using var host = new FakeHost(Guest) { Respond = (_, _) => Values(x0, x1, x2, x3) };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        // The first writes what the core starts with, and does not know yet that PC is wanted.
        Assert.Equal([ioctls, ioctls, ioctls], counts.Zip(counts.Skip(1), (before, after) => after - before).Skip(1));

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            for (var n = 0; n < 5; n++)
            {
                cpu.With(Vendor, first, second, third);
                counts.Add(cpu.Ioctls);
                yield return hvc is { } immediate ? FakeStep.Hvc((ushort)immediate) : FakeStep.Smc();
            }
            yield return PowerOff(cpu);
        }
    }

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }
}
