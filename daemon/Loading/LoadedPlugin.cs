using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>A plugin folder: its service, or the reason why it has none.</summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Services">Its service, and nothing else; empty where it failed.</param>
/// <param name="Failure">What is wrong and the remedy, for people.</param>
internal sealed record LoadedPlugin(string Folder, IReadOnlyList<Service> Services, string? Failure)
{
    /// <summary>The name of its service, where that is known; else of its folder.</summary>
    public string Name { get; init; } = Services is [var service] ? service.Name : Path.GetFileName(Folder);

    /// <summary>The failure names what is to be changed elsewhere: the settings, or another plugin.</summary>
    public bool IsOfOthers { get; init; }

    /// <summary>Makes its service anew, with the same settings; null where it failed.</summary>
    public Func<Service>? Make { get; init; }
}
