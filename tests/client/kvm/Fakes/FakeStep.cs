using System.Buffers.Binary;
using Hypercalls.Client.Kernel;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Tests.Client.Kvm.Fakes;

/// <summary>What became of a step.</summary>
internal enum Done
{
    /// <summary>The kernel dealt with it: the guest goes on.</summary>
    GoesOn,

    /// <summary>KVM_RUN comes back.</summary>
    Exits,

    /// <summary>Not over yet.</summary>
    Waits,
}

/// <summary>Something that a guest does.</summary>
internal abstract class FakeStep
{
    /// <summary>On the vCPU's thread; called again where it waits.</summary>
    public abstract Done Do(FakeVcpu cpu);

    /// <summary>SMC of AArch64.</summary>
    public static FakeStep Smc(ushort immediate = 0) => new CallStep(isSmc: true, 0xd400_0003u | (uint)immediate << 5, immediate);

    /// <summary>HVC of AArch64.</summary>
    public static FakeStep Hvc(ushort immediate = 0) => new CallStep(isSmc: false, 0xd400_0002u | (uint)immediate << 5, immediate);

    /// <summary>A call whose instruction is given: of AArch32, or one that is not where PC is.</summary>
    public static FakeStep Call(bool isSmc, uint? opcode) => new CallStep(isSmc, opcode, immediate: 0);

    public static FakeStep Read(ulong address, int length, int register) => new AccessStep(address, length, register, null);

    public static FakeStep Write(ulong address, int length, ulong value) => new AccessStep(address, length, 0, value);

    /// <summary>Loops until PC is another's doing.</summary>
    public static FakeStep Spin() => new SpinStep(null);

    /// <summary>Loops until something holds.</summary>
    public static FakeStep SpinUntil(Func<bool> holds) => new SpinStep(holds);

    /// <summary>Stays in the kernel, whatever kicks it.</summary>
    public static FakeStep Deaf(WaitHandle until) => new DeafStep(until);

    /// <summary>An exit that changes nothing.</summary>
    public static FakeStep Exit(FillPage fill) => new ExitStep(fill);

    /// <summary>KVM_RUN fails.</summary>
    public static FakeStep Fails(int errno) => new FailStep(errno);

    public delegate void FillPage(Span<byte> page);

    private sealed class CallStep(bool isSmc, uint? opcode, ushort immediate) : FakeStep
    {
        public override Done Do(FakeVcpu cpu)
        {
            if (opcode is { } code)
            {
                Span<byte> bytes = stackalloc byte[4];
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, code);
                cpu.Vm.Store(cpu.Pc, bytes);
            }
            // PC points behind the instruction, for HVC and for SMC.
            cpu.Pc += 4;
            if (isSmc && immediate != 0)
            {
                // Never forwarded, whatever the filter says; x1 to x3 are kept.
                cpu.X0 = ulong.MaxValue;
                return Done.GoesOn;
            }
            var function = (uint)cpu.X0;
            switch (cpu.Vm.ActionFor(function))
            {
                case FilterAction.Forward:
                    // x0 is not preloaded with anything.
                    cpu.Forwarded.Enqueue((function, isSmc));
                    FakePage.Hypercall(cpu.Page.Bytes, function, isSmc);
                    return Done.Exits;
                case FilterAction.Deny:
                    cpu.SetResults(ulong.MaxValue);
                    return Done.GoesOn;
                default:
                    return KernelPsci.Answer(cpu, function);
            }
        }
    }

    private sealed class AccessStep(ulong address, int length, int register, ulong? value) : FakeStep
    {
        public override Done Do(FakeVcpu cpu)
        {
            // PC stays on the access until it is finished.
            FakePage.Mmio(cpu.Page.Bytes, address, (uint)length, value is not null, value ?? 0);
            cpu.Access = value is null ? (register, length) : (-1, length);
            return Done.Exits;
        }
    }

    private sealed class SpinStep(Func<bool>? holds) : FakeStep
    {
        private ulong? _pc;

        public override Done Do(FakeVcpu cpu)
        {
            _pc ??= cpu.Pc;
            return (holds is null ? cpu.Pc != _pc : holds()) ? Done.GoesOn : Done.Waits;
        }
    }

    private sealed class DeafStep(WaitHandle until) : FakeStep
    {
        public override Done Do(FakeVcpu cpu)
        {
            until.WaitOne();
            return Done.GoesOn;
        }
    }

    private sealed class ExitStep(FillPage fill) : FakeStep
    {
        public override Done Do(FakeVcpu cpu)
        {
            fill(cpu.Page.Bytes);
            return Done.Exits;
        }
    }

    private sealed class FailStep(int errno) : FakeStep
    {
        public override Done Do(FakeVcpu cpu) => throw KvmException.Of($"vCPU {cpu.Number} does not run", -errno);
    }
}
