namespace Hypercalls.Hosts;

/// <summary>Why a machine's run is over.</summary>
public abstract record MachineEnd
{
    private MachineEnd()
    {
    }

    /// <summary>A service powered the machine off.</summary>
    public sealed record PoweredOff : MachineEnd;

    /// <summary>Something went wrong; the report is for a person.</summary>
    public sealed record Failed(string Report) : MachineEnd;

    /// <summary>The owner stopped it.</summary>
    public sealed record Stopped : MachineEnd;
}
