using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Native;

/// <summary>Kicks on a real kernel: its KVM is x86's here, and the guest a loop at the reset vector.</summary>
public sealed class LinuxVcpuTests
{
    private const int Rounds = 1000;

    [X86KvmFact]
    public void A_machine_of_arm64_is_refused_with_a_sentence()
    {
        using var kernel = new LinuxKernel();
        Assert.Equal(
            "/dev/kvm runs no arm64 guests here (X64): use an arm64 machine, or run without --accel kvm, which emulates one.",
            Assert.Throws<KvmException>(() => Hypercalls.Kvm.Interface.Kvm.Open(kernel)).Message);
    }

    [X86KvmFact]
    public void A_kick_before_the_run_ends_it_before_the_guest_has_begun()
    {
        using var guest = new LoopingGuest();
        for (var round = 0; round < Rounds; round++)
        {
            var seen = guest.Vcpu.Kicks;
            guest.Vcpu.Kick();
            Assert.Equal(-Errno.Eintr, guest.Vcpu.Run(new() { KicksSeen = seen }));
        }
        Assert.Equal((uint)Rounds, guest.Vcpu.Kicks);
        Assert.Equal(0, guest.Count);
    }

    [X86KvmFact]
    public async Task A_kick_during_the_run_ends_it()
    {
        using var guest = new LoopingGuest();
        var results = guest.RunEach(Rounds, out var ended);
        for (var round = 0; round < Rounds; round++)
        {
            // The guest runs: it counts on.
            var before = guest.Count;
            await Until(() => guest.Count != before);
            Assert.Equal(round, ended());
            guest.Vcpu.Kick();
            await Until(() => ended() > round);
        }
        Assert.All(await results.Soon(), result => Assert.Equal((-Errno.Eintr, 10u), result));
    }

    [X86KvmFact]
    public async Task A_kick_at_any_moment_ends_the_run()
    {
        using var guest = new LoopingGuest();
        var results = guest.RunEach(Rounds, out var ended);
        var random = new Random(1);
        for (var round = 0; round < Rounds; round++)
        {
            // Around the moment when the run is entered.
            Thread.SpinWait(random.Next(2000));
            guest.Vcpu.Kick();
            await Until(() => ended() > round);
        }
        Assert.All(await results.Soon(), result => Assert.Equal(-Errno.Eintr, result.Result));
    }

    [X86KvmFact]
    public void A_kick_that_the_run_was_told_of_does_not_end_it()
    {
        using var guest = new LoopingGuest(0xf4); // hlt
        guest.Vcpu.Kick();
        var page = new byte[256];
        Assert.Equal(0, guest.Vcpu.Run(new() { KicksSeen = guest.Vcpu.Kicks, Page = page }));
        Assert.Equal(5u, BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(8))); // KVM_EXIT_HLT
    }

    [X86KvmFact]
    public void Nothing_stays_open_or_mapped()
    {
        var before = Mappings();
        for (var n = 0; n < 5; n++)
        {
            new LoopingGuest().Dispose();
        }
        Assert.Equal(before, Mappings());

        static int Mappings() => File.ReadLines("/proc/self/maps").Count(line => line.Contains("anon_inode:kvm-vcpu", StringComparison.Ordinal))
            + Directory.GetFileSystemEntries("/proc/self/fd").Count(entry => new FileInfo(entry).LinkTarget?.Contains("kvm-v", StringComparison.Ordinal) == true);
    }

    private static async Task Until(Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        for (var turn = 1; !holds(); turn++)
        {
            if (turn % 100 == 0)
            {
                await Task.Delay(1, patience.Token);
            }
            else
            {
                Thread.Yield();
            }
        }
    }

    /// <summary>A vCPU of x86 that counts in its memory, from the reset vector on, or does something else there.</summary>
    private sealed class LoopingGuest : IDisposable
    {
        private const uint SetTssAddress = 0xae47;
        private const ulong LastPage = 0xffff_f000;

        private readonly LinuxKernel _kernel = new();
        private readonly IKernelMemory _code;
        private readonly IKernelMemory _data;
        private readonly int _kvm;
        private readonly int _machine;

        public LoopingGuest(params ReadOnlySpan<byte> code)
        {
            _kvm = Done(_kernel.Open("/dev/kvm"));
            _machine = Done(_kernel.Control(_kvm, KvmIoctl.CreateVm, 0));
            _ = _kernel.Control(_machine, SetTssAddress, 0xfffb_d000);
            _code = _kernel.Map(4096);
            _data = _kernel.Map(4096);
            // inc word [0]; jmp back to it
            _code.Write(0xff0, code.IsEmpty ? [0xff, 0x06, 0x00, 0x00, 0xeb, 0xfa] : code);
            Add(0, LastPage, _code);
            Add(1, 0, _data);
            Vcpu = _kernel.OpenVcpu(Done(_kernel.Control(_machine, KvmIoctl.CreateVcpu, 0)), Done(_kernel.Control(_kvm, KvmIoctl.GetVcpuMmapSize, 0)));
        }

        public IKernelVcpu Vcpu { get; }

        public int Count
        {
            get
            {
                Span<byte> count = stackalloc byte[2];
                _data.Read(0, count);
                return BinaryPrimitives.ReadUInt16LittleEndian(count);
            }
        }

        /// <summary>Runs so often, each time told of all kicks that have been answered; gives each result and exit reason.</summary>
        public Task<(int Result, uint Reason)[]> RunEach(int rounds, out Func<int> ended)
        {
            var done = 0;
            ended = () => Volatile.Read(ref done);
            return Task.Factory.StartNew(
                () =>
                {
                    var results = new (int, uint)[rounds];
                    var page = new byte[64];
                    for (var round = 0; round < rounds; round++)
                    {
                        var result = Vcpu.Run(new() { KicksSeen = (uint)round, Page = page });
                        results[round] = (result, BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(8)));
                        Volatile.Write(ref done, round + 1);
                    }
                    return results;
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }

        public void Dispose()
        {
            Vcpu.Dispose();
            Vcpu.Dispose();
            Done(_kernel.Close(_machine));
            Done(_kernel.Close(_kvm));
            _code.Dispose();
            _data.Dispose();
            _kernel.Dispose();
        }

        private void Add(uint slot, ulong address, IKernelMemory memory)
        {
            var region = new KvmUserspaceMemoryRegion { Slot = slot, GuestPhysAddr = address, MemorySize = memory.Size, UserspaceAddr = memory.Address };
            Done(_kernel.Control(_machine, KvmIoctl.SetUserMemoryRegion, MemoryMarshal.AsBytes(new Span<KvmUserspaceMemoryRegion>(ref region))));
        }

        private static int Done(int result)
        {
            Assert.True(result >= 0, Errno.Text(-result));
            return result;
        }
    }
}
