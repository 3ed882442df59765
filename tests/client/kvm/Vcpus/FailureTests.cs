using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;

namespace Hypercalls.Tests.Client.Kvm.Vcpus;

public sealed class FailureTests
{
    // KVM_EXIT_…, the words of its union, what a person reads, what the daemon gets: the reason first.
    public static TheoryData<uint, ulong[], string, ulong[]> Exits => new()
    {
        { 9, [0x80, 3], "the guest cannot be entered, hardware reason 0x80 on CPU 3", [9, 0x80, 3] }, // FAIL_ENTRY
        { 28, [5, 0xa00_0000], "an instruction that KVM cannot decode accesses 0xa000000, which is not RAM", [28, 5, 0xa00_0000] }, // ARM_NISV
        { 42, [6, 0xb00_0000], "an instruction that KVM cannot decode accesses 0xb000000, which is not RAM", [42, 6, 0xb00_0000] }, // ARM_LDST64B
        { 39, [8, 0x4100_0000, 0x1000], "KVM cannot reach guest memory 0x41000000", [39, 8, 0x4100_0000, 0x1000] }, // MEMORY_FAULT
        { 41, [1, 0x9600_0010, 2, 3], "a synchronous external abort, ESR 0x96000010", [41, 1, 0x9600_0010, 2, 3] }, // ARM_SEA
        { 0, [1, 2, 3, 4], "an exit that this host does not know, 0", [0, 1, 2, 3, 4] }, // UNKNOWN
        { 99, [1, 2, 3, 4], "an exit that this host does not know, 99", [99, 1, 2, 3, 4] },
    };

    [Theory]
    [MemberData(nameof(Exits))]
    public void An_exit_that_cannot_be_served_is_told_and_stops_the_machine(uint reason, ulong[] words, string report, ulong[] told) =>
        Check(page => FakePage.Words(page, reason, words), report, told);

    [Fact]
    public void An_internal_error_tells_its_valid_data() =>
        Check(page => FakePage.InternalError(page, 3, [0x11, 0x22]), "an internal error of KVM, suberror 3, data [0x11, 0x22]", [17, 3, 0x11, 0x22]);

    [Fact]
    public void An_internal_error_of_more_data_than_there_can_be_tells_what_there_is() =>
        Check(
            page =>
            {
                FakePage.InternalError(page, 3, [.. Enumerable.Repeat(5ul, 16)]);
                page[36] = 200;
            },
            $"an internal error of KVM, suberror 3, data [{string.Join(", ", Enumerable.Repeat("0x5", 16))}]",
            [17, 3, .. Enumerable.Repeat(5ul, 16)]);

    [Theory]
    [InlineData(true, 3, "a write of 3 bytes at 0x9000000")]
    [InlineData(false, 16, "a read of 16 bytes at 0x9000000")]
    public void An_access_that_no_instruction_makes_stops_the_machine(bool isWrite, uint length, string report) =>
        Check(page => FakePage.Mmio(page, 0x900_0000, length, isWrite, 0), report, [6, 0x900_0000, length]);

    [Theory]
    [InlineData(0xf200_0123u, 0u, 0xf200_0123ul, "ESR 0xf2000123, FAR 0x77, PC 0x40400000")] // BRK
    [InlineData(0xd200_0000u, 5u, 0x5_d200_0000ul, "ESR 0x5d2000000, FAR 0x77, PC 0x40400000")]
    [InlineData(0xd200_0000u, null, 0xd200_0000ul, "ESR 0xd2000000 (bits 63:32 unknown), FAR 0x77, PC 0x40400000")]
    public void A_debug_exception_is_told_and_stops_the_machine(uint low, uint? high, ulong esr, string report)
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => null };
        Assert.Equal(new MachineEnd.Failed($"vCPU 0 stopped at a debug exception: {report}."), host.Run());
        Assert.Equal(new DebugExit { Esr = esr, EsrHighValid = high is not null, Far = 0x77, Pc = Kernel }, host.Exits.Single().Exit.Debug);

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Exit(page => FakePage.Debug(page, low, high, 0x77));
        }
    }

    [Fact]
    public void A_run_that_the_kernel_refuses_stops_the_machine()
    {
        using var host = new FakeHost(Guest);
        Assert.Equal(new MachineEnd.Failed("vCPU 0 does not run: ENOSYS (38)."), host.Run());
        Assert.Empty(host.Exits);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            yield return FakeStep.Fails(38);
        }
    }

    [Fact]
    public void A_call_without_which_the_guest_must_not_go_on_stops_every_core()
    {
        using var host = new FakeHost(Guest, cores: 3)
        {
            Respond = (mpidr, exit) => exit.Hypercall.X0 == CpuOn
                ? new() { Values = new(), PowerOn = new() { Core = exit.Hypercall.X1, EntryPoint = Kernel } }
                : throw new MachineStopsException("The call has no fallback."),
        };
        Assert.Equal(new MachineEnd.Failed("The call has no fallback."), host.Run());

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            if (cpu.Number == 0)
            {
                for (ulong n = 1; n < 3; n++)
                {
                    cpu.With(CpuOn, n);
                    yield return FakeStep.Smc();
                }
                yield return FakeStep.SpinUntil(() => cpu.Vm.Vcpus[1].Runs > 0 && cpu.Vm.Vcpus[2].Runs > 0);
                cpu.With(Vendor);
                yield return FakeStep.Smc();
                Assert.Fail("It went on.");
            }
            yield return FakeStep.Spin();
        }
    }

    [Fact]
    public void A_fault_of_the_host_itself_stops_the_machine_and_not_the_process()
    {
        using var host = new FakeHost(Guest) { Respond = (_, _) => throw new ArithmeticException("of the test") };
        Assert.Contains("The thread of vCPU 0 failed: System.ArithmeticException: of the test", Assert.IsType<MachineEnd.Failed>(host.Run()).Report, StringComparison.Ordinal);

        static IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.With(Vendor);
            yield return FakeStep.Smc();
        }
    }

    private static void Check(FakeStep.FillPage exit, string report, ulong[] told)
    {
        foreach (var isAnswered in (bool[])[true, false])
        {
            using var host = new FakeHost(Guest) { Respond = (_, _) => isAnswered ? None() : null };
            Assert.Equal(new MachineEnd.Failed($"vCPU 0 cannot go on at PC 0x{Kernel + 0x40:x}: {report}."), host.Run());
            Assert.Equal(new FailureExit { Count = (uint)told.Length, Data = { told } }, host.Exits.Single().Exit.Failure);
        }

        IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            cpu.Pc = Kernel + 0x40;
            yield return FakeStep.Exit(exit);
        }
    }
}
