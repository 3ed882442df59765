using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class HypercallTests
{
    private const ulong Elsewhere = 0x1_0000_0000;
    private const ulong MmuOn = 0x30d0_0801;
    private const ulong NotSupported = ulong.MaxValue;

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

    [Fact]
    public void A_call_that_nobody_answers_gets_NOT_SUPPORTED()
    {
        using var host = new FakeHost(Fallback) { Respond = (_, _) => null };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([host.Exits.First().Exit.ExitId], host.GivenUp);
        Assert.Equal(new Previous { ExitId = 0x1_0000_0001, Outcome = Outcome.FellBack }, host.Exits.Last().Exit.Previous);
        Assert.Empty(host.Log);
    }

    public static TheoryData<string> RefusedAnswers => new(
        "for exit", "of boot", "results is absent", "results.masked", "memory_writes", "returns interrupt", "takes interrupt", "system_event.type", "load.registers", "load.pstate");

    [Theory]
    [MemberData(nameof(RefusedAnswers))]
    public void A_call_whose_answer_is_refused_gets_NOT_SUPPORTED(string why)
    {
        using var host = new FakeHost(Fallback)
        {
            Respond = (_, exit) => why switch
            {
                "for exit" => With(Values(1), answer => answer.ExitId = exit.ExitId + 1),
                "of boot" => With(Values(1), answer => answer.Boot = 2),
                "results is absent" => new(),
                "results.masked" => new() { Masked = new() { Mask = 3, Values = { 1 } } },
                "memory_writes" => With(Values(1), answer => answer.MemoryWrites.Add(new MemoryBlock { Base = 0, Data = Google.Protobuf.ByteString.CopyFrom(1) })),
                "returns interrupt" => With(Values(1), answer => answer.ReturnedInterrupts.Add(33)),
                "takes interrupt" => With(Values(1), answer => answer.TakeInterrupt = new() { Intid = 33 }),
                "system_event.type" => With(Values(1), answer => answer.SystemEvent = new() { Type = SystemEventType.Wakeup }),
                "load.registers" => With(Values(1), answer => answer.Load = new() { Registers = { new Register { Index = 31 } } }),
                _ => With(Values(1), answer => answer.Load = new() { Pstate = 0x3cd }),
            },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([0x1_0000_0001ul], host.GivenUp);
        Assert.Contains(why.Split(' ')[0], Assert.Single(host.Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Previous_tells_which_answer_the_guest_saw_last()
    {
        var answers = new Queue<Answer?>([Values(1), null, null, Values(4), None()]);
        using var host = new FakeHost(Guest) { Respond = (_, _) => answers.Dequeue() };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        const ulong Boot = 1ul << 32;
        Assert.Equal(
            [
                null,
                new() { ExitId = Boot | 1, Outcome = Outcome.Applied, LastApplied = Boot | 1 },
                new() { ExitId = Boot | 2, Outcome = Outcome.FellBack, LastApplied = Boot | 1 },
                new() { ExitId = Boot | 3, Outcome = Outcome.FellBack, LastApplied = Boot | 1 },
                new() { ExitId = Boot | 4, Outcome = Outcome.Applied, LastApplied = Boot | 4 },
                new() { ExitId = Boot | 5, Outcome = Outcome.Applied, LastApplied = Boot | 5 },
            ],
            host.Exits.Select(exit => exit.Exit.Previous));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            for (var n = 0; n < 5; n++)
            {
                cpu.With(Vendor);
                yield return FakeStep.Smc();
            }
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void Masked_results_touch_no_other_register_and_memory_is_written_before_the_guest_goes_on()
    {
        using var host = new FakeHost(Guest)
        {
            Respond = (_, _) => new()
            {
                Masked = new() { Mask = 1 << 17 | 1 << 4, Values = { 44, 1717 } },
                MemoryWrites = { new MemoryBlock { Base = Kernel + 0x1000, Data = Google.Protobuf.ByteString.CopyFrom(1, 2, 3) } },
            },
        };
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor, 1, 2, 3, 4, 5);
            yield return FakeStep.Smc();
            Assert.Equal((Vendor, 1ul, 2ul, 3ul), cpu.Results);
            Assert.Equal((44ul, 5ul, 1717ul), (cpu.X(4), cpu.X(5), cpu.X(17)));
            Assert.Equal([KvmRegisterId.X(4), KvmRegisterId.X(17)], cpu.LastSet);
            var bytes = new byte[4];
            cpu.Vm.Memory!.Read(Kernel + 0x1000 - cpu.Vm.MemoryBase, bytes);
            Assert.Equal([1, 2, 3, 0], bytes);
            yield return PowerOff(cpu);
        }
    }

    [Fact]
    public void What_the_kernel_keeps_or_refuses_never_comes()
    {
        using var host = new FakeHost(Guest, with: options => options with { Deny = [(0xc600_0001, 0xc600_0001)] });
        Assert.Equal(new MachineEnd.PoweredOff(), host.Run());
        Assert.Equal([SystemOff], host.Calls.Select(call => call.X0));

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(0x8000_0000, 1, 2, 3); // reserved, and the kernel has it
            yield return FakeStep.Smc();
            Assert.Equal((0x1_0001ul, 0ul, 0ul, 0ul), cpu.Results);
            cpu.With(0x8000_0002, 1, 2, 3); // reserved, and nobody has it
            yield return FakeStep.Smc();
            Assert.Equal((NotSupported, 0ul, 0ul, 0ul), cpu.Results);
            cpu.With(Vendor, 1, 2, 3); // denied
            yield return FakeStep.Hvc();
            Assert.Equal((NotSupported, 0ul, 0ul, 0ul), cpu.Results);
            cpu.With(SystemOff, 1, 2, 3); // an SMC with an immediate
            yield return FakeStep.Smc(1);
            Assert.Equal((NotSupported, 1ul, 2ul, 3ul), cpu.Results);
            yield return PowerOff(cpu);
        }
    }

    // how the call comes, results, then the ioctls from one exit of this kind to the next: KVM_RUN, 7 to read x0 to x5 and PSTATE, PC and SCTLR_EL1 for HVC, one for each result that changes
    [Theory]
    [InlineData(false, 0x1_0001, 0, 0, 0, 1 + 7 + 1)] // PSCI_VERSION: the usual call
    [InlineData(false, Vendor, 1, 2, 3, 1 + 7)] // nothing changes
    [InlineData(false, 7, 1, 2, 4, 1 + 7 + 2)]
    [InlineData(false, 7, 8, 9, 3, 1 + 7 + 3)]
    [InlineData(false, 7, 8, 9, 10, 1 + 7 + 4)] // as many as can
    [InlineData(true, 7, 1, 2, 3, 1 + 7 + 1 + 1 + 1)] // the guest's MMU is off
    public void A_call_costs_no_more_ioctls_than_it_must(bool isHvc, ulong x0, ulong x1, ulong x2, ulong x3, long ioctls)
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
                yield return isHvc ? FakeStep.Hvc() : FakeStep.Smc();
            }
            yield return PowerOff(cpu);
        }
    }

    private static IEnumerable<FakeStep> Fallback(FakeVcpu cpu)
    {
        cpu.With(Vendor, 1, 2, 3, 4);
        yield return FakeStep.Smc();
        Assert.Equal((NotSupported, 0ul, 0ul, 0ul), cpu.Results);
        Assert.Equal(4ul, cpu.X(4));
        yield return PowerOff(cpu);
    }

    private static T With<T>(T message, Action<T> change)
    {
        change(message);
        return message;
    }
}
