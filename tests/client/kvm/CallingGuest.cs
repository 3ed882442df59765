using System.Runtime.InteropServices;
using Hypercalls.Kvm.Interface;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>What became of a guest's call.</summary>
public enum CallFate
{
    /// <summary>The kernel has put something other than −1 into x0.</summary>
    Answered,

    /// <summary>x0 is −1, which a kernel that has never heard of the function says as well as one that refuses it.</summary>
    Refused,

    /// <summary>KVM_EXIT_HYPERCALL.</summary>
    Forwarded,

    /// <summary>KVM_EXIT_SYSTEM_EVENT: the kernel's PSCI has decided something.</summary>
    Event,
}

/// <summary>A call: function and x1, the other registers are zero.</summary>
internal readonly record struct GuestCall(uint Function, ulong X1);

/// <summary>A guest that makes the calls of a table in its memory, one after another, and then touches a device. A forwarded call costs a round trip, the others some microseconds.</summary>
internal sealed class CallingGuest
{
    private const int ProgramSize = 0x80;
    private const ulong Table = 0x1_0000;
    private const int EntrySize = 64;
    private const int ResultAt = 32;

    /// <summary>What forwarded calls are answered with.</summary>
    private const ulong Served = 0x0123_4567_89ab_cdef;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    // x19: entry of the table, x20: entries left, x21: the device.
    private static readonly uint[] s_a64 =
    [
        0xa940_0660, // ldp x0, x1, [x19]
        0xa941_0e62, // ldp x2, x3, [x19, #16]
        0,
        0xa902_0660, // stp x0, x1, [x19, #32]
        0xa903_0e62, // stp x2, x3, [x19, #48]
        0x9101_0273, // add x19, x19, #64
        0xf100_0694, // subs x20, x20, #1
        0x54ff_ff21, // b.ne to the first
        0xf900_02b4, // str x20, [x21]
    ];

    // r10, r11, r12.
    private static readonly uint[] s_a32 =
    [
        0xe59a_0000, // ldr r0, [r10]
        0xe59a_1008, // ldr r1, [r10, #8]
        0xe59a_2010, // ldr r2, [r10, #16]
        0xe59a_3018, // ldr r3, [r10, #24]
        0,
        0xe58a_0020, // str r0, [r10, #32]
        0xe58a_1028, // str r1, [r10, #40]
        0xe58a_2030, // str r2, [r10, #48]
        0xe58a_3038, // str r3, [r10, #56]
        0xe28a_a040, // add r10, r10, #64
        0xe25b_b001, // subs r11, r11, #1
        0x1aff_fff3, // bne to the first
        0xe58c_b000, // str r11, [r12]
    ];

    private readonly BareVm _vm;
    private readonly IKvmVcpu _vcpu;
    private readonly bool _isAArch32;
    private readonly List<uint> _instructions = [];
    private bool _isAccessing;

    public CallingGuest(BareVm vm, IKvmVcpu vcpu, ExecutionState state)
    {
        (_vm, _vcpu, _isAArch32) = (vm, vcpu, state == ExecutionState.Aarch32);
    }

    /// <summary>Makes calls, at most 30,000: the table is no longer than the memory.</summary>
    public CallFate[] Make(Conduit conduit, uint immediate, IReadOnlyList<GuestCall> calls)
    {
        var table = new ulong[calls.Count * EntrySize / sizeof(ulong)];
        for (var n = 0; n < calls.Count; n++)
        {
            (table[n * 8], table[(n * 8) + 1]) = (calls[n].Function, calls[n].X1);
        }
        _vm.Memory.Write(Table, MemoryMarshal.AsBytes(table.AsSpan()));
        var fates = Run(Program(conduit, immediate), conduit, calls);
        _vm.Memory.Read(Table, MemoryMarshal.AsBytes(table.AsSpan()));
        for (var n = 0; n < calls.Count; n++)
        {
            var x0 = table[((n * EntrySize) + ResultAt) / sizeof(ulong)];
            if (fates[n] == CallFate.Forwarded)
            {
                Assert.Equal(Seen(Served), x0);
            }
            else if (fates[n] != CallFate.Event)
            {
                fates[n] = x0 == Seen(ulong.MaxValue) ? CallFate.Refused : CallFate.Answered;
            }
        }
        return fates;
    }

    private CallFate[] Run(ulong program, Conduit conduit, IReadOnlyList<GuestCall> calls)
    {
        var fates = new CallFate[calls.Count];
        var first = _isAArch32 ? 10 : 19;
        if (_isAccessing)
        {
            _vcpu.Complete([]);
            _isAccessing = false;
        }
        _vcpu.Set(
            (KvmRegisterId.Pc, program),
            (KvmRegisterId.X(first), BareVm.Start + Table),
            (KvmRegisterId.X(first + 1), (ulong)calls.Count),
            (KvmRegisterId.X(first + 2), BareVm.Device));
        using var watchdog = new Timer(_ => _vcpu.Kick(), null, s_patience, Timeout.InfiniteTimeSpan);
        var kicks = _vcpu.Kicks;
        ulong[] setIds = [KvmRegisterId.X(0)];
        ulong[] served = [Served];
        ulong[] getIds = [KvmRegisterId.X(first)];
        var entry = new ulong[1];
        var isServed = false;
        while (true)
        {
            var reason = isServed ? _vcpu.Run(kicks, setIds, served, [], getIds, entry) : _vcpu.Run(kicks, [], [], [], getIds, entry);
            isServed = reason == ExitReason.Hypercall;
            if (reason == ExitReason.Mmio)
            {
                Assert.Equal(BareVm.Device, _vcpu.Page.Mmio.Address);
                _isAccessing = true;
                return fates;
            }
            if (!isServed)
            {
                _vcpu.Get(getIds, entry);
            }
            var index = (int)((entry[0] - BareVm.Start - Table) / EntrySize);
            var call = index < calls.Count ? $"{conduit} of 0x{calls[index].Function:X8}" : "the device";
            switch (reason)
            {
                case ExitReason.Hypercall:
                    Assert.Equal((calls[index].Function, conduit == Conduit.Smc), _vcpu.Page.Hypercall);
                    fates[index] = CallFate.Forwarded;
                    break;
                case ExitReason.SystemEvent:
                    fates[index] = CallFate.Event;
                    _vcpu.MpState = MpState.Runnable;
                    break;
                default:
                    Assert.Fail($"{reason} at {call}.");
                    break;
            }
        }
    }

    /// <summary>Each instruction has a program of its own: none is written over.</summary>
    private ulong Program(Conduit conduit, uint immediate)
    {
        var isSmc = conduit == Conduit.Smc;
        var instruction = _isAArch32
            ? (isSmc ? 0xe160_0070 : 0xe140_0070) | (immediate & 0xf) | (immediate >> 4 << 8)
            : 0xd400_0002 | (isSmc ? 1u : 0) | (immediate << 5);
        var number = _instructions.IndexOf(instruction);
        if (number < 0)
        {
            number = _instructions.Count;
            _instructions.Add(instruction);
            uint[] program = [.. (_isAArch32 ? s_a32 : s_a64).Select(word => word == 0 ? instruction : word)];
            _vm.Memory.Write((ulong)(number * ProgramSize), MemoryMarshal.AsBytes(program.AsSpan()));
        }
        return BareVm.Start + (ulong)(number * ProgramSize);
    }

    /// <summary>As much as the guest's registers hold.</summary>
    private ulong Seen(ulong value) => _isAArch32 ? (uint)value : value;
}
