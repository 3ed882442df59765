using System.Globalization;
using Hypercalls.Client.Kernel;
using Hypercalls.Kvm;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;
using Hypercalls.RealKernels;
using Hypercalls.Tests.Client.Qemu;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>The kernel register is computed from a few firmware registers and the filter: real kernels do with each call what it says.</summary>
[Collection(QemuMachines.Name)]
public sealed class KernelRegisterOnRealKernelsTests(GuestImages guests, BootedKernels kernels, ITestOutputHelper output) : IDisposable
{
    private const uint ForeignImmediate = 5;
    private const int RandomsPerRange = 10;

    /// <summary>In the guest's memory.</summary>
    private const ulong StolenTime = BareVm.Start + 0x1000;

    private readonly UsedKernels _kernels = new(kernels);

    public void Dispose() => _kernels.Dispose();

    [RealKernelTheory("6.1")]
    [InlineData("defaults")]
    [InlineData("PSCI 0.1")]
    [InlineData("PSCI 0.2")]
    [InlineData("no bitmaps")]
    [InlineData("SYSTEM_SUSPEND")]
    [InlineData("stolen time")]
    [InlineData("every owner")]
    public void Linux_6_1_does_what_its_register_says(string setting) => Check("6.1", setting);

    [RealKernelTheory("6.12")]
    [InlineData("defaults")]
    [InlineData("PSCI 0.1")]
    [InlineData("PSCI 0.2")]
    [InlineData("PSCI 1.0")]
    [InlineData("no bitmaps")]
    [InlineData("SYSTEM_SUSPEND")]
    [InlineData("stolen time")]
    [InlineData("every owner")]
    [InlineData("everything forwarded")]
    [InlineData("PSCI kept")]
    [InlineData("ranges denied")]
    [InlineData("each action")]
    public void Linux_6_12_does_what_its_register_says(string setting) => Check("6.12", setting);

    [RealKernelTheory("7.x")]
    [InlineData("defaults")]
    [InlineData("PSCI 0.1")]
    [InlineData("PSCI 0.2")]
    [InlineData("PSCI 1.1")]
    [InlineData("no bitmaps")]
    [InlineData("VENDOR_HYP_BMAP_2")]
    [InlineData("SYSTEM_SUSPEND")]
    [InlineData("stolen time")]
    [InlineData("every owner")]
    [InlineData("everything forwarded")]
    [InlineData("PSCI kept")]
    [InlineData("ranges denied")]
    [InlineData("each action")]
    public void The_newest_Linux_does_what_its_register_says(string setting) => Check("7.x", setting);

    [RealKernelFact("6.1")]
    public void The_profile_of_Linux_6_1_is_that_of_a_real_one() => CheckProfile("6.1", "linux-6.1-defaults");

    [RealKernelFact("6.12")]
    public void The_profiles_of_Linux_6_12_are_those_of_a_real_one() => CheckProfile("6.12", "linux-6.12-defaults", "linux-6.12-forward-all");

    [RealKernelFact("7.x")]
    public void The_profiles_of_Linux_7_2_are_those_of_the_newest_one() => CheckProfile("7.x", "linux-7.2-defaults", "linux-7.2-forward-all");

    [RealKernelTheory("6.12", "7.x")]
    [InlineData("6.12", PsciOwner.Daemon)]
    [InlineData("6.12", PsciOwner.Kernel)]
    [InlineData("7.x", PsciOwner.Daemon)]
    [InlineData("7.x", PsciOwner.Kernel)]
    public void A_machine_reports_the_register_of_its_vCPUs(string role, PsciOwner psci)
    {
        IReadOnlyList<(uint, uint)> deny = [(0x8600_0000, 0x8600_0001)];
        var options = new KvmOptions { Kernel = guests["cores"], MemoryMiB = 16, Psci = psci, Deny = deny };
        using var vm = _kernels.Boot(role);
        var firmware = Read(vm.Vm, vm.Add()) with { Filter = KvmFilter.Of(psci, deny) };
        using var machine = KvmMachine.Start(options, new RemoteKernel(_kernels[role]));
        Assert.Equal(KvmRegister.Of(firmware), machine.WaitForBoot().Kernel);
    }

    [RealKernelTheory("6.1", "6.12", "7.x")]
    [InlineData("6.1", Conduit.Hvc)]
    [InlineData("6.12", Conduit.Hvc)]
    [InlineData("6.12", Conduit.Smc)]
    [InlineData("7.x", Conduit.Hvc)]
    [InlineData("7.x", Conduit.Smc)]
    public async Task CPU_SUSPEND_and_CPU_OFF_sleep_in_the_kernel(string role, Conduit conduit)
    {
        foreach (var (function, features, state) in ((uint, VcpuFeatures, MpState)[])
        [
            (0x8400_0001, VcpuFeatures.Psci02, MpState.Runnable), // CPU_SUSPEND
            (0xC400_0001, VcpuFeatures.Psci02, MpState.Runnable),
            (0x8400_0002, VcpuFeatures.Psci02, MpState.Stopped), // CPU_OFF
            (0x95C1_BA5F, VcpuFeatures.None, MpState.Stopped), // CPU_OFF of PSCI 0.1
        ])
        {
            using var vm = _kernels.Boot(role);
            var vcpu = vm.Add(
                [
                    0xf900_0085, // str x5, [x4]
                    conduit == Conduit.Hvc ? 0xd400_0002 : 0xd400_0003,
                    0xf900_0060, // str x0, [x3]
                ],
                features);
            const ulong Mark = 0x1000;
            vcpu.Set((KvmRegisterId.X(0), function), (KvmRegisterId.X(3), BareVm.Device), (KvmRegisterId.X(4), BareVm.Start + Mark), (KvmRegisterId.X(5), 1));
            var mark = new byte[8];
            do
            {
                // A kick may come before the call as well as during it: the guest is kicked until it is behind.
                var kicks = vcpu.Kicks;
                var run = Task.Run(() => vcpu.Run(kicks, [], [], [], [], []));
                for (var round = 0; mark[0] == 0; round++)
                {
                    Assert.True(round < 100_000, "The guest does not run.");
                    vm.Memory.Read(Mark, mark);
                }
                vcpu.Kick();
                Assert.Equal(ExitReason.Interrupted, await run.Soon());
            }
            while (vcpu.Get(KvmRegisterId.Pc) == BareVm.Start + 4);
            Assert.Equal((state, BareVm.Start + 8, 0ul), (vcpu.MpState, vcpu.Get(KvmRegisterId.Pc), vcpu.Get(KvmRegisterId.X(0))));
            vcpu.MpState = MpState.Runnable;
            Assert.Equal(ExitReason.Mmio, vcpu.Run());
        }
    }

    private static KvmFirmware Read(IKvmVm vm, IKvmVcpu vcpu)
    {
        return new()
        {
            HasFilter = vm.HasFilter,
            PsciVersion = (uint)Get(KvmRegisterId.PsciVersion),
            StdBitmap = Get(KvmRegisterId.StdBitmap),
            StdHypBitmap = Get(KvmRegisterId.StdHypBitmap),
            VendorHypBitmap = Get(KvmRegisterId.VendorHypBitmap),
        };

        ulong Get(ulong id) => vcpu.TryGet(id, out var value) ? value : 0;
    }

    private void CheckProfile(string role, params string[] names)
    {
        using var vm = _kernels.Boot(role);
        var vcpu = vm.Add();
        var firmware = Read(vm.Vm, vcpu);
        output.WriteLine($"Linux {vm.Kvm.Release}: {firmware}");
        // None of what this advertises is the kernel's to serve.
        Assert.True(!vcpu.TryGet(KvmRegisterId.VendorHypBitmap2, out var second) || second == 0);
        foreach (var name in names)
        {
            var profile = KernelProfiles.Kernels[name];
            Assert.Equal(profile, firmware with { Filter = profile.Filter });
            foreach (var range in profile.Filter)
            {
                vm.Vm.SetFilter(range);
            }
        }
    }

    private void Check(string role, string setting)
    {
        var seed = Random.Shared.Next();
        var wrong = new List<string>();
        var count = 0;
        foreach (var state in (ExecutionState[])[ExecutionState.Aarch64, ExecutionState.Aarch32])
        {
            using var vm = _kernels.Boot(role);
            if (state == ExecutionState.Aarch32 && vm.Kvm.Extension(KvmCapability.ArmEl132Bit) == 0)
            {
                output.WriteLine($"Linux {role} has no AArch32 at EL1 here.");
                continue;
            }
            var (vcpu, firmware) = SetUp(vm, setting, state);
            var ready = KvmRegister.Of(firmware);
            var guest = new CallingGuest(vm, vcpu, state);
            foreach (var (conduit, immediate) in ((Conduit, uint)[])[(Conduit.Hvc, 0), (Conduit.Smc, 0), (Conduit.Hvc, ForeignImmediate), (Conduit.Smc, ForeignImmediate)])
            {
                KernelRange[] register = [.. ready.Ranges.Where(range => range.Conduit == conduit && range.ExecutionState == state && Covers(range.Immediate, immediate))];
                // Of calls with an immediate the kernel's own table is enough.
                var ids = immediate != 0 ? KernelCalls.Table
                    : setting == "every owner" ? KernelCalls.OfEveryOwner
                    : KernelCalls.Table.Concat(Borders(register)).Concat(Borders(firmware.Filter)).Concat(Randoms(register, new(seed)));
                GuestCall[] calls =
                [
                    .. ids.Distinct()
                        .Where(id => !KernelCalls.Sleep(id) || Find(register, id).Disposition != Disposition.Kernel)
                        .Select(id => new GuestCall(id, KernelCalls.Argument(id))),
                ];
                var fates = guest.Make(conduit, immediate, calls);
                count += calls.Length;
                foreach (var (call, fate) in calls.Zip(fates))
                {
                    var range = Find(register, call.Function);
                    if (!Agree(range.Disposition, fate))
                    {
                        wrong.Add($"{state} {conduit} #{immediate} 0x{call.Function:X8}: {range.Disposition} ({range.Reason}), but {fate}.");
                    }
                }
            }
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} calls, seed {seed}."));
        Assert.True(wrong.Count == 0, $"Linux {role}, {setting}, seed {seed}:\n{string.Join('\n', wrong)}");
    }

    private static (IKvmVcpu Vcpu, KvmFirmware Firmware) SetUp(BareVm vm, string setting, ExecutionState state)
    {
        IReadOnlyList<FilterRange> filter = setting switch
        {
            "everything forwarded" => KvmFilter.Of(PsciOwner.Daemon, []),
            "PSCI kept" => KvmFilter.Of(PsciOwner.Kernel, []),
            "ranges denied" => KvmFilter.Of(PsciOwner.Kernel, [(0x8400_0004, 0x8400_0006), (0x8600_0000, 0x8600_0001), (0xC400_0030, 0xC400_0040), (0xFFFF_FFFF, 0xFFFF_FFFF)]),
            "each action" =>
            [
                new(0x0000_0000, 0x0000_0000, FilterAction.Forward),
                new(0x8400_0000, 0x8400_0003, FilterAction.Handle),
                new(0x8400_0004, 0x8400_0006, FilterAction.Deny),
                new(0x8400_000A, 0x8400_0052, FilterAction.Forward),
                new(0x8600_0000, 0x8600_FF01, FilterAction.Handle),
                new(0xC400_0020, 0xC400_003F, FilterAction.Handle),
                new(0xC001_0000, 0xC1FF_FFFF, FilterAction.Deny),
            ],
            _ => [],
        };
        foreach (var range in filter)
        {
            vm.Vm.SetFilter(range);
        }
        if (setting == "SYSTEM_SUSPEND")
        {
            vm.Vm.Enable(KvmCapability.ArmSystemSuspend);
        }
        var features = (setting == "PSCI 0.1" ? VcpuFeatures.None : VcpuFeatures.Psci02) | (state == ExecutionState.Aarch32 ? VcpuFeatures.El1Is32Bit : VcpuFeatures.None);
        var vcpu = setting == "stolen time" ? vm.AddWithStolenTime(features, StolenTime) : vm.Add(features);
        vcpu.Set(setting switch
        {
            "PSCI 0.2" => [(KvmRegisterId.PsciVersion, 0x0000_0002)],
            "PSCI 1.0" => [(KvmRegisterId.PsciVersion, 0x0001_0000)],
            "PSCI 1.1" => [(KvmRegisterId.PsciVersion, 0x0001_0001)],
            "no bitmaps" => [(KvmRegisterId.StdBitmap, 0), (KvmRegisterId.StdHypBitmap, 0), (KvmRegisterId.VendorHypBitmap, 0)],
            "VENDOR_HYP_BMAP_2" => [(KvmRegisterId.VendorHypBitmap2, 3)],
            _ => [],
        });
        return (vcpu, Read(vm.Vm, vcpu) with
        {
            Filter = filter,
            HasPsci02 = features.HasFlag(VcpuFeatures.Psci02),
            HasStolenTime = setting == "stolen time",
            HasSystemSuspend = setting == "SYSTEM_SUSPEND",
        });
    }

    /// <summary>That −1 is all that is seen of the others does not make them equal: why there is nothing to be had is the register's to say.</summary>
    private static bool Agree(Disposition disposition, CallFate fate) => disposition switch
    {
        Disposition.Kernel => fate is CallFate.Answered or CallFate.Event,
        Disposition.Forwarded => fate == CallFate.Forwarded,
        Disposition.Denied or Disposition.ClaimedButUnserved or Disposition.Unserved => fate == CallFate.Refused,
        _ => false,
    };

    private static bool Covers(ImmediateRule rule, uint immediate) => rule switch
    {
        ImmediateRule.Zero => immediate == 0,
        ImmediateRule.NotZero => immediate != 0,
        _ => rule == ImmediateRule.Any,
    };

    /// <summary>The one range; a register with none or two is wrong.</summary>
    private static KernelRange Find(KernelRange[] register, uint id) => register.Single(range => id >= range.First && id <= range.Last);

    private static IEnumerable<uint> Borders(IEnumerable<KernelRange> ranges) => ranges.SelectMany(range => Around(range.First, range.Last));

    private static IEnumerable<uint> Borders(IEnumerable<FilterRange> ranges) => ranges.SelectMany(range => Around(range.First, range.Last));

    private static uint[] Around(uint first, uint last) => [unchecked(first - 1), first, unchecked(first + 1), unchecked(last - 1), last, unchecked(last + 1)];

    private static IEnumerable<uint> Randoms(IEnumerable<KernelRange> ranges, Random random) =>
        ranges.SelectMany(range => Enumerable.Range(0, RandomsPerRange).Select(_ => (uint)random.NextInt64(range.First, range.Last + 1L)));
}
