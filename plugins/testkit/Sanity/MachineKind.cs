using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>A kind of machine that a service may meet.</summary>
/// <param name="Cores">How many.</param>
/// <param name="ClientEl">Where its guest runs: 1 or 2.</param>
/// <param name="HasInterrupts">Its host offers interrupts to services.</param>
internal sealed record MachineKind(int Cores, int ClientEl, bool HasInterrupts)
{
    /// <summary>The offered interrupts: every PPI, and some SPIs.</summary>
    public const uint FirstIntid = 16;
    public const uint LastIntid = 95;

    /// <summary>The simplest first.</summary>
    public static IReadOnlyList<MachineKind> All { get; } =
    [
        .. from cores in (int[])[1, 2, 17]
           from clientEl in (int[])[1, 2]
           from hasInterrupts in (bool[])[false, true]
           select new MachineKind(cores, clientEl, hasInterrupts),
    ];

    /// <summary>One for each number of cores, all that a host can offer.</summary>
    public static IReadOnlyList<MachineKind> Rich { get; } = [.. All.Where(kind => kind is { ClientEl: 1, HasInterrupts: true })];

    public MachineDescription Describe() => TestMachine.Describe(Cores) with
    {
        Name = "sanity",
        ClientEl = ClientEl,
        Interrupts = HasInterrupts ? [new(FirstIntid, LastIntid)] : [],
    };

    public override string ToString() =>
        $"on a machine of {Cores} core{(Cores == 1 ? "" : "s")} at EL{ClientEl}, {(HasInterrupts ? "with" : "without")} interrupts for services:";
}
