namespace Hypercalls.Kvm.Native;

/// <summary>
/// How calls get to a kernel with KVM: this machine's (LinuxKernel), or one that an agent makes them in. Results are those of the system
/// calls, 0 or above, or −errno; nothing here throws for what a kernel refuses.
/// </summary>
internal interface IKernel : IDisposable
{
    /// <summary>As uname says it: "6.12.107+deb13-arm64".</summary>
    string Release { get; }

    /// <summary>"aarch64" where guests of this host can run.</summary>
    string Architecture { get; }

    /// <summary>Opens a device for reading and writing: a file descriptor.</summary>
    int Open(string path);

    int Close(int descriptor);

    /// <summary>ioctl with a number.</summary>
    int Control(int descriptor, uint request, ulong argument);

    /// <summary>ioctl with a structure, read and written back.</summary>
    int Control(int descriptor, uint request, Span<byte> argument);

    /// <summary>ioctl with a structure that holds, at an offset of 8 bytes, the address of another; both are read and written back.</summary>
    int Control(int descriptor, uint request, Span<byte> argument, int addressAt, Span<byte> pointedTo);

    /// <summary>Maps memory, zero and nobody else's; throws <see cref="IOException"/>.</summary>
    /// <param name="size">In bytes, a multiple of 4096.</param>
    IKernelMemory Map(ulong size);

    /// <summary>Maps a vCPU's kvm_run and takes its file descriptor over.</summary>
    /// <param name="descriptor">Of KVM_CREATE_VCPU.</param>
    /// <param name="runSize">KVM_GET_VCPU_MMAP_SIZE.</param>
    IKernelVcpu OpenVcpu(int descriptor, int runSize);
}

/// <summary>Memory in the address space of the process that makes the calls. Reading and writing from several threads is as with any memory.</summary>
internal interface IKernelMemory : IDisposable
{
    /// <summary>Where it is mapped: what KVM_SET_USER_MEMORY_REGION wants.</summary>
    ulong Address { get; }

    ulong Size { get; }

    /// <summary>The caller keeps to the size; beyond it throws <see cref="ArgumentOutOfRangeException"/>.</summary>
    void Read(ulong offset, Span<byte> into);

    void Write(ulong offset, ReadOnlySpan<byte> bytes);

    /// <summary>Zeroes all of it.</summary>
    void Clear();
}

/// <summary>A vCPU's file descriptor and kvm_run. One thread calls it; <see cref="Kick"/> alone is for any thread.</summary>
internal interface IKernelVcpu : IDisposable
{
    /// <summary>How many kicks were given; <see cref="Run"/> comes back at once where it is told of fewer.</summary>
    uint Kicks { get; }

    int Control(uint request, ulong argument);

    int Control(uint request, Span<byte> argument);

    /// <summary>KVM_GET_ONE_REG for registers of 64 bits, one after another; the −errno of the first that fails, after which none is read.</summary>
    int Get(ReadOnlySpan<ulong> ids, Span<ulong> values);

    /// <summary>KVM_SET_ONE_REG for registers of 64 bits, one after another; the −errno of the first that fails, after which none is written.</summary>
    int Set(ReadOnlySpan<ulong> ids, ReadOnlySpan<ulong> values);

    /// <summary>KVM_RUN, with what goes before and after it in one step. The −errno of the first call that fails, after which none is made: EINTR where a kick or a signal ended it.</summary>
    int Run(in KernelRun run);

    /// <summary>Ends the <see cref="Run"/> that runs, or the next one that is not told of it: immediate_exit and a signal.</summary>
    void Kick();
}

/// <summary>One KVM_RUN and what goes with it.</summary>
internal ref struct KernelRun
{
    /// <summary>Registers that are written first.</summary>
    public ReadOnlySpan<ulong> SetIds { get; init; }

    public ReadOnlySpan<ulong> SetValues { get; init; }

    /// <summary>What the guest's read of a device finds, at kvm_run.mmio.data; empty for none.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>Value of <see cref="IKernelVcpu.Kicks"/> before the caller looked for work: a later kick is not lost.</summary>
    public uint KicksSeen { get; init; }

    /// <summary>The guest runs no instruction: an exit that KVM has yet to finish is finished (immediate_exit).</summary>
    public bool OnlyCompletes { get; init; }

    /// <summary>Receives the first bytes of kvm_run, up to 256; also where KVM_RUN was interrupted.</summary>
    public Span<byte> Page { get; init; }

    /// <summary>Registers of 64 bits that are read after KVM_EXIT_HYPERCALL and no other exit.</summary>
    public ReadOnlySpan<ulong> GetIds { get; init; }

    public Span<ulong> GetValues { get; init; }
}
