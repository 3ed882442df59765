using Hypercalls.Hosts;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

/// <summary>What becomes of a call.</summary>
public sealed class HypercallTests
{
    private const ulong NotSupported = ulong.MaxValue;

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
