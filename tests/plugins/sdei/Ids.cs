namespace Hypercalls.Tests.Sdei;

/// <summary>Identifiers (DEN0054, SDEI functions): SMC64 alone.</summary>
internal static class Ids
{
    public const uint Version = 0xC400_0020;
    public const uint EventRegister = 0xC400_0021;
    public const uint EventEnable = 0xC400_0022;
    public const uint EventDisable = 0xC400_0023;
    public const uint EventContext = 0xC400_0024;
    public const uint EventComplete = 0xC400_0025;
    public const uint EventCompleteAndResume = 0xC400_0026;
    public const uint EventUnregister = 0xC400_0027;
    public const uint EventStatus = 0xC400_0028;
    public const uint EventGetInfo = 0xC400_0029;
    public const uint EventRoutingSet = 0xC400_002A;
    public const uint PeMask = 0xC400_002B;
    public const uint PeUnmask = 0xC400_002C;
    public const uint InterruptBind = 0xC400_002D;
    public const uint InterruptRelease = 0xC400_002E;
    public const uint EventSignal = 0xC400_002F;
    public const uint Features = 0xC400_0030;
    public const uint PrivateReset = 0xC400_0031;
    public const uint SharedReset = 0xC400_0032;
}
