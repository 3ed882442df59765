using System.CommandLine;
using System.Globalization;
using Hypercalls.Hosts;
using Hypercalls.Kvm;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Commands;

/// <summary>What runs the guest: QEMU's emulation, or this computer's KVM with options of its own.</summary>
internal sealed class AccelOptions
{
    private const string Emulation = "tcg";
    private const string Hardware = "kvm";
    private const string Kernel = "kernel";

    private readonly Option<string> _accel = new("--accel") { Description = "tcg: QEMU emulates the guest, on any computer. kvm: an arm64 computer runs it, by /dev/kvm of Linux 6.4 or newer.", HelpName = "tcg|kvm", DefaultValueFactory = _ => Emulation };
    private readonly Option<string> _psci = new("--psci") { Description = "With --accel kvm: who answers PSCI. Where the kernel does, cores start and stop unseen, and services that must know are refused.", HelpName = "daemon|kernel", DefaultValueFactory = _ => "daemon" };
    private readonly Option<string[]> _deny = new("--deny") { Description = "With --accel kvm: function IDs, first-last, that the kernel answers with NOT_SUPPORTED and nobody sees. Repeatable.", HelpName = "range" };

    public AccelOptions()
    {
        _accel.AcceptOnlyFromAmong(Emulation, Hardware);
        _psci.AcceptOnlyFromAmong("daemon", Kernel);
        _deny.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !TryRange(token.Value, out _)))
            {
                result.AddError($"--deny {token.Value}: no range of function IDs. Write first-last, such as 0x82000000-0x8200FFFF.");
            }
        });
    }

    public IReadOnlyList<Option> All => [_accel, _psci, _deny];

    /// <summary>Holds options to the way of running that they belong to.</summary>
    public void Check(Command command, params IReadOnlyList<Option> ofTheEmulation) => command.Validators.Add(result =>
    {
        var isKvm = result.GetValue(_accel) == Hardware;
        foreach (var option in (isKvm ? ofTheEmulation : [_psci, _deny]).Where(option => result.GetResult(option) is { Implicit: false }))
        {
            result.AddError(isKvm ? $"{option.Name}: it is for the emulated machine. Leave it away, or --accel kvm." : $"{option.Name}: it is for --accel kvm. Add that, or leave it away.");
        }
    });

    public bool IsKvm(ParseResult parsed) => parsed.GetValue(_accel) == Hardware;

    /// <summary>The user has given PSCI away, and nothing else: that its service never sees its calls is no mistake.</summary>
    public bool GivesOnlyPsciToTheKernel(ParseResult parsed) => GivesPsciToTheKernel(parsed) && parsed.GetValue(_deny) is not [_, ..];

    /// <summary>What a machine's name begins with, where it has none of its own.</summary>
    public string Kind(ParseResult parsed) => IsKvm(parsed) ? "kvm" : "qemu";

    /// <summary>Says what is missing before anything is built or started.</summary>
    /// <exception cref="HostException">This computer cannot run guests so.</exception>
    public void CheckComputer(ParseResult parsed)
    {
        if (IsKvm(parsed) && KvmMachine.Probe() is { Runs: false } probed)
        {
            throw new HostException(probed.Detail);
        }
    }

    /// <summary>Makes the machine of these options.</summary>
    public IGuestMachine Start(ParseResult parsed, HostOptions machine) => machine switch
    {
        QemuOptions qemu => QemuMachine.Start(qemu),
        KvmOptions kvm => KvmMachine.Start(kvm with
        {
            Psci = GivesPsciToTheKernel(parsed) ? PsciOwner.Kernel : PsciOwner.Daemon,
            Deny = [.. (parsed.GetValue(_deny) ?? []).Select(text => TryRange(text, out var range) ? range : throw new CliException(text, ExitCode.BadInput))],
        }),
        _ => throw new ArgumentException("No host runs such a machine.", nameof(machine)),
    };

    private bool GivesPsciToTheKernel(ParseResult parsed) => IsKvm(parsed) && parsed.GetValue(_psci) == Kernel;

    private static bool TryRange(string text, out (uint First, uint Last) range)
    {
        range = default;
        return text.Split('-') is [var first, var last] && TryId(first, out range.First) && TryId(last, out range.Last);
    }

    private static bool TryId(string text, out uint id)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal);
        return digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? uint.TryParse(digits[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id)
            : uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
