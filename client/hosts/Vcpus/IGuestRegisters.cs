using Hypercalls.Protos;

namespace Hypercalls.Hosts.Vcpus;

/// <summary>The registers of a stopped vCPU, as answers name them.</summary>
internal interface IGuestRegisters
{
    ulong Pc { get; set; }

    ulong Pstate { get; set; }

    /// <summary>x0 to x30.</summary>
    ulong GetGeneral(int index);

    void SetGeneral(int index, ulong value);

    /// <summary>Null for a register that is none of those by name.</summary>
    ulong? GetSystem(SystemRegister register);

    void SetSystem(SystemRegister register, ulong value);
}
