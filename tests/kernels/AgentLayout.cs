namespace Hypercalls.RealKernels;

/// <summary>What the agent is asked, as Agent/agent.h lays it out; a test holds every constant against the header.</summary>
internal static class AgentLayout
{
    public const int Protocol = 1;
    public const int VcpuPorts = 9;
    public const int ChunkLimit = 0x10_0000;
    public const int FrameLimit = 0x10_1000;
    public const int PageLimit = 256;
    public const uint NoAddress = 0xffff_ffff;

    // Of the control port.
    public const uint Open = 1;
    public const uint Close = 2;
    public const uint Map = 3;
    public const uint Unmap = 4;
    public const uint Read = 5;
    public const uint Write = 6;
    public const uint Clear = 7;
    public const uint Kick = 8;
    public const uint Leftovers = 9;

    // Of each port.
    public const uint Ioctl = 16;
    public const uint IoctlBytes = 17;

    // Of a vCPU port.
    public const uint VcpuOpen = 32;
    public const uint VcpuClose = 33;
    public const uint Get = 34;
    public const uint Set = 35;
    public const uint Run = 36;
}
