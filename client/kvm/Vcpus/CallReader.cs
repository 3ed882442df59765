using Hypercalls.Kvm.Translation;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>
/// Reads the instruction that made a call, of which KVM tells neither immediate nor condition. A walk through the guest's tables costs four ioctls, so where a kernel's
/// own text lies – the upper half of AArch64's addresses, which all its processes share – is remembered, and that there is still a call.
/// </summary>
internal sealed class CallReader(KvmRam ram)
{
    private const int Remembered = 4;
    private const int InstructionSize = 4;

    private readonly (ulong Pc, ulong Physical)[] _places = new (ulong, ulong)[Remembered];
    private int _next;

    /// <summary>Null where the address cannot be translated, or something else stands there by now.</summary>
    public CallInstruction? Read(VcpuRegisters registers)
    {
        var (pc, pstate) = (registers.Pc, registers.Pstate);
        var isKernels = !registers.IsAArch32 && pc >> 55 == 0x1ff;
        if (isKernels && TryRemembered(pc, pstate, out var call))
        {
            return call;
        }
        var translation = registers.FetchTranslation();
        if (!CallInstruction.TryFind(translation, pc, pstate, ram, out call))
        {
            return null;
        }
        if (isKernels && Stage1Walk.Find(translation, pc - InstructionSize, ram) is { } physical)
        {
            _places[_next++ % Remembered] = (pc, physical);
        }
        return call;
    }

    private bool TryRemembered(ulong pc, ulong pstate, out CallInstruction call)
    {
        Span<byte> code = stackalloc byte[InstructionSize];
        foreach (var (known, physical) in _places)
        {
            if (known == pc && ram.TryRead(physical, code) && CallInstruction.TryDecode(code, pstate, out call))
            {
                return true;
            }
        }
        call = default;
        return false;
    }
}
