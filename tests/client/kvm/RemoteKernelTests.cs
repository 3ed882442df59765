using System.Buffers.Binary;
using Hypercalls.Kvm.Native;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>A real Linux with KVM, driven call by call through the agent in it.</summary>
[Collection(QemuMachines.Name)]
public sealed class RemoteKernelTests(BootedKernels kernels) : IDisposable
{
    private const string Role = "6.12";
    private const int Ebadf = 9;

    private const uint ExitHypercall = 3;
    private const uint ExitMmio = 6;
    private const uint ExitInterrupted = 10;

    private static readonly uint[] s_calls =
    [
        0xd280_0020, // mov x0, #1
        0xf2b8_6000, // movk x0, #0xc300, lsl #16
        0xd282_4681, // mov x1, #0x1234
        0xd400_0002, // hvc #0
        0xaa00_03e2, // mov x2, x0
        0x17ff_fffb, // b to the first
    ];

    public void Dispose()
    {
        if (RealKernelNeeds.Missing(Role) is null)
        {
            Assert.Equal((0u, 0u, 0u), kernels[Role].Leftovers());
        }
    }

    [RealKernelFact(Role)]
    public void Says_which_kernel_it_is_and_speaks_KVMs_interface()
    {
        using var kernel = new RemoteKernel(kernels[Role]);
        Assert.StartsWith("6.12.", kernel.Release, StringComparison.Ordinal);
        Assert.Equal("aarch64", kernel.Architecture);
        var kvm = kernel.Open("/dev/kvm");
        Assert.Equal(12, kernel.Control(kvm, KvmIoctl.GetApiVersion, 0));
        Assert.Equal(0, kernel.Close(kvm));
    }

    [RealKernelFact(Role)]
    public void A_forwarded_call_ends_the_run_and_its_results_go_back_with_the_next()
    {
        using var guest = new BareGuest(kernels[Role], s_calls);
        Assert.Equal(0, guest.Forward(0xc300_0000, 0x1_0000));
        var vcpu = guest.AddVcpu();
        var page = new byte[256];
        ulong[] ids = [BareGuest.X(0), BareGuest.X(1), BareGuest.X(2), BareGuest.Pc];
        var values = new ulong[4];
        Assert.Equal(0, vcpu.Run(new() { Page = page, GetIds = ids, GetValues = values }));
        Assert.Equal((ExitHypercall, 0xc300_0001ul, 0ul), (Exit(page), BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(32)), BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(96))));
        Assert.Equal([0xc300_0001, 0x1234, 0, BareGuest.Start + 16], values);

        Assert.Equal(0, vcpu.Run(new() { SetIds = [BareGuest.X(0)], SetValues = [7], Page = page, GetIds = ids, GetValues = values }));
        Assert.Equal([0xc300_0001, 0x1234, 7, BareGuest.Start + 16], values);
        Assert.Equal(0, vcpu.Get(ids.AsSpan(2, 1), values.AsSpan(0, 1)));
        Assert.Equal(7ul, values[0]);
    }

    [RealKernelFact(Role)]
    public async Task A_kick_ends_a_guest_that_loops()
    {
        // add x3, x3, #1; str x3, [x4]; b to the first
        using var guest = new BareGuest(kernels[Role], 0x9100_0463, 0xf900_0083, 0x17ff_fffe);
        var vcpu = guest.AddVcpu();
        const ulong Counter = 0x1000;
        Assert.Equal(0, vcpu.Set([BareGuest.X(4)], [BareGuest.Start + Counter]));
        var page = new byte[256];
        var run = Task.Run(() => vcpu.Run(new() { Page = page }));
        var count = new byte[8];
        for (var round = 0; count.AsSpan().IndexOfAnyExcept((byte)0) < 0; round++)
        {
            Assert.True(round < 100_000, "The guest does not run.");
            guest.Memory.Read(Counter, count);
        }
        Assert.False(run.IsCompleted);
        vcpu.Kick();
        Assert.Equal(-Errno.Eintr, await run.Soon());
        Assert.Equal(ExitInterrupted, Exit(page));
    }

    [RealKernelFact(Role)]
    public async Task A_kick_is_not_lost_before_a_run_at_its_beginning_or_during_it()
    {
        using var guest = new BareGuest(kernels[Role], 0x1400_0000); // b .
        var vcpu = guest.AddVcpu();
        for (var round = 0; round < 50; round++)
        {
            var seen = vcpu.Kicks;
            var run = Task.Run(() => vcpu.Run(new() { KicksSeen = seen }));
            vcpu.Kick();
            Assert.Equal(-Errno.Eintr, await run.Soon());
        }
    }

    [RealKernelFact(Role)]
    public void Only_a_kick_that_the_run_was_not_told_of_ends_it()
    {
        using var guest = new BareGuest(kernels[Role], s_calls);
        Assert.Equal(0, guest.Forward(0xc300_0000, 0x1_0000));
        var vcpu = guest.AddVcpu();
        vcpu.Kick();
        vcpu.Kick();
        Assert.Equal(2u, vcpu.Kicks);
        var pc = new ulong[1];
        Assert.Equal(-Errno.Eintr, vcpu.Run(new() { KicksSeen = 1 }));
        Assert.Equal(0, vcpu.Get([BareGuest.Pc], pc));
        Assert.Equal(BareGuest.Start, pc[0]);
        Assert.Equal(0, vcpu.Run(new() { KicksSeen = 2, GetIds = [BareGuest.Pc], GetValues = pc }));
        Assert.Equal(BareGuest.Start + 16, pc[0]);
    }

    [RealKernelFact(Role)]
    public async Task A_vCPU_that_runs_keeps_no_other_waiting()
    {
        // b . ; and movz x0, #0xc300, lsl #16; hvc #0
        using var guest = new BareGuest(kernels[Role], 0x1400_0000, 0xd2b8_6000, 0xd400_0002);
        Assert.Equal(0, guest.Forward(0xc300_0000, 1));
        var looping = guest.AddVcpu();
        var calling = guest.AddVcpu();
        var run = Task.Run(() => looping.Run(default));
        var pc = new ulong[1];
        Assert.Equal(0, calling.Run(new() { SetIds = [BareGuest.Pc], SetValues = [BareGuest.Start + 4], GetIds = [BareGuest.Pc], GetValues = pc }));
        Assert.Equal(BareGuest.Start + 12, pc[0]);
        Assert.False(run.IsCompleted);
        looping.Kick();
        Assert.Equal(-Errno.Eintr, await run.Soon());
    }

    [RealKernelFact(Role)]
    public void What_a_device_is_read_as_goes_into_the_run_that_completes_the_read()
    {
        // x4 is outside memory: ldr x3, [x4]; ldr x5, [x4]
        using var guest = new BareGuest(kernels[Role], 0xf940_0083, 0xf940_0085);
        var vcpu = guest.AddVcpu();
        Assert.Equal(0, vcpu.Set([BareGuest.X(4)], [0x900_0000]));
        var page = new byte[256];
        Assert.Equal(0, vcpu.Run(new() { Page = page }));
        Assert.Equal((ExitMmio, 0x900_0000ul, 8u), (Exit(page), BinaryPrimitives.ReadUInt64LittleEndian(page.AsSpan(32)), BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(48))));
        Assert.Equal(0, vcpu.Run(new() { Data = BitConverter.GetBytes(0x1122_3344_5566_7788), Page = page }));
        Assert.Equal(ExitMmio, Exit(page));
        // The second read ends without another instruction.
        Assert.Equal(-Errno.Eintr, vcpu.Run(new() { Data = BitConverter.GetBytes(9ul), OnlyCompletes = true }));
        var values = new ulong[3];
        Assert.Equal(0, vcpu.Get([BareGuest.X(3), BareGuest.X(5), BareGuest.Pc], values));
        Assert.Equal([0x1122_3344_5566_7788, 9, BareGuest.Start + 8], values);
    }

    [RealKernelFact(Role)]
    public void What_the_kernel_refuses_comes_back_as_its_error()
    {
        using var guest = new BareGuest(kernels[Role], s_calls);
        var kernel = guest.Kernel;
        Assert.Equal(-Errno.Enoent, kernel.Open("/dev/no-such-device"));
        Assert.Equal(-Ebadf, kernel.Close(1000));
        Assert.Equal(-Ebadf, kernel.Control(1000, KvmIoctl.CreateVm, 0));
        Assert.Equal(-Errno.Einval, kernel.Control(guest.Machine, KvmIoctl.GetApiVersion, 0));
        Assert.Equal(0, guest.Forward(0x8600_0000, 2));
        Assert.Equal(-Errno.Eexist, guest.Forward(0x8600_0001, 1));
        Assert.Equal(-Errno.Eexist, guest.Forward(0x8000_0000, 1));
        var vcpu = guest.AddVcpu();
        var values = new ulong[3];
        Assert.Equal(-Errno.Enoent, vcpu.Get([BareGuest.Pc, 0x6030_0000_0014_00ff, BareGuest.Pc], values));
        Assert.Equal(-Errno.Enoent, vcpu.Set([0x6030_0000_0014_00ff], [0]));
        Assert.Equal(-Errno.Enoent, vcpu.Run(new() { SetIds = [0x6030_0000_0014_00ff], SetValues = [0] }));
        Assert.Equal(-Errno.Einval, vcpu.Get([0x6020_0000_0010_0000], values.AsSpan(0, 1))); // of 32 bits
    }

    [RealKernelFact(Role)]
    public void Memory_is_read_as_it_was_written_and_cleared_as_a_whole()
    {
        using var kernel = new RemoteKernel(kernels[Role]);
        const int Size = 3 << 20;
        using var memory = kernel.Map(Size);
        var bytes = new byte[Size - 5];
        new Random(1).NextBytes(bytes);
        var back = new byte[bytes.Length];
        memory.Write(3, bytes);
        memory.Read(3, back);
        Assert.Equal(bytes, back);
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Write(6, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read(ulong.MaxValue, back));
        memory.Clear();
        memory.Read(3, back);
        Assert.Equal(new byte[bytes.Length], back);
        Assert.Throws<IOException>(() => kernel.Map(1ul << 60));
    }

    [RealKernelFact(Role)]
    public void Machines_come_and_go_and_nothing_remains()
    {
        for (var round = 0; round < 5; round++)
        {
            using var guest = new BareGuest(kernels[Role], s_calls);
            Assert.Equal(0, guest.Forward(0xc300_0000, 0x1_0000));
            for (var i = 0; i < AgentLayout.VcpuPorts; i++)
            {
                Assert.Equal(0, guest.AddVcpu().Run(default));
            }
            Assert.Throws<InvalidOperationException>(guest.AddVcpu);
            Assert.Equal((2u + AgentLayout.VcpuPorts, 1u, (uint)AgentLayout.VcpuPorts), kernels[Role].Leftovers());
        }
    }

    private static uint Exit(byte[] page) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(8));
}
