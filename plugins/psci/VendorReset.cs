using System.Text.Json.Serialization;

namespace Hypercalls.Psci;

/// <summary>A vendor-specific reset type that SYSTEM_RESET2 accepts (DEN0022, SYSTEM_RESET2). With a reset, its cookie is handed to the host.</summary>
public sealed record VendorReset
{
    internal const uint FirstType = 0x8000_0000;

    /// <summary>0x8000_0000 to 0xFFFF_FFFF.</summary>
    public uint Type { get; init; }

    /// <summary>What the host does.</summary>
    public VendorResetAction Action { get; init; }
}

/// <summary>What a vendor-specific reset does to the machine.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<VendorResetAction>))]
public enum VendorResetAction
{
    /// <summary>A cold reset.</summary>
    Reset,

    /// <summary>The machine is shut down.</summary>
    Shutdown,
}
