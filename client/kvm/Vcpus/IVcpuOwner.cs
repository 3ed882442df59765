namespace Hypercalls.Kvm.Vcpus;

/// <summary>The machine, as its vCPU threads see it.</summary>
internal interface IVcpuOwner
{
    bool HasEnded { get; }

    /// <summary>PSCI is the kernel's: cores start and stop without an exit.</summary>
    bool PsciIsTheKernels { get; }

    /// <summary>The vCPU of that MPIDR, null where there is none.</summary>
    Vcpu? Find(ulong mpidr);

    /// <summary>Power-off: nobody runs any more.</summary>
    void PowerOff();

    /// <summary>A reset has been decided: every vCPU is to leave the guest, and the machine begins anew.</summary>
    void Reset(bool clearMemory);

    /// <summary>Ends the run with a report.</summary>
    void Fail(string report);

    void Log(string remark);
}
