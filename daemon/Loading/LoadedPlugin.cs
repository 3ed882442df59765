using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>A plugin folder: its services, or the reason why it has none.</summary>
internal sealed record LoadedPlugin(string Folder, IReadOnlyList<Service> Services, string? Failure);
