namespace Hypercalls.Qemu.Vcpus;

/// <summary>The machine, as its vCPU threads see it.</summary>
internal interface IVcpuOwner
{
    bool HasEnded { get; }

    /// <summary>The vCPU of that MPIDR, null where there is none.</summary>
    Vcpu? Find(ulong mpidr);

    /// <summary>Every vCPU has made the BOOT exit of this boot.</summary>
    void AllBooted();

    /// <summary>A power-off is about to be given to the monitor.</summary>
    void PoweringOff();

    /// <summary>A reset is about to be given to the monitor.</summary>
    void Resetting(bool clearMemory);

    /// <summary>Ends the run with a report.</summary>
    void Fail(string report);

    void Log(string remark);
}
