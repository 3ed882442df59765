using System.Globalization;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Running;

/// <summary>What this tool keeps with a run for the process that takes it over: how the machine is named, and who answers its calls.</summary>
internal sealed record KeptRun(string Name)
{
    private const char Separator = '\n';

    /// <summary>As named for this run; null for the local socket or a private daemon.</summary>
    public string? Daemon { get; init; }

    public string? Tls { get; init; }

    /// <summary>Of the private daemon, as are its settings.</summary>
    public string? Plugins { get; init; }

    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What becomes of calls that get no answer in time.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    public int? Retries { get; init; }

    public bool AllowShadowed { get; init; }

    public static KeptRun Of(QemuRun run)
    {
        var kept = run.Kept;
        return new(kept.GetValueOrDefault(nameof(Name)) ?? $"qemu-{run.QemuProcess}")
        {
            Daemon = kept.GetValueOrDefault(nameof(Daemon)),
            Tls = kept.GetValueOrDefault(nameof(Tls)),
            Plugins = kept.GetValueOrDefault(nameof(Plugins)),
            Settings = kept.GetValueOrDefault(nameof(Settings))?.Split(Separator) ?? [],
            Fallbacks = kept.GetValueOrDefault(nameof(Fallbacks))?.Split(Separator) ?? [],
            Retries = int.TryParse(kept.GetValueOrDefault(nameof(Retries)), CultureInfo.InvariantCulture, out var retries) ? retries : null,
            AllowShadowed = kept.ContainsKey(nameof(AllowShadowed)),
        };
    }

    public IReadOnlyDictionary<string, string> ToKept()
    {
        var kept = new Dictionary<string, string> { [nameof(Name)] = Name };
        Add(nameof(Daemon), Daemon);
        Add(nameof(Tls), Tls);
        Add(nameof(Plugins), Plugins);
        Add(nameof(Settings), Settings.Count == 0 ? null : string.Join(Separator, Settings));
        Add(nameof(Fallbacks), Fallbacks.Count == 0 ? null : string.Join(Separator, Fallbacks));
        Add(nameof(Retries), Retries?.ToString(CultureInfo.InvariantCulture));
        Add(nameof(AllowShadowed), AllowShadowed ? "yes" : null);
        return kept;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                kept.Add(name, value);
            }
        }
    }
}
