using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>Loads every sub-folder of the plugin folder, each in its own load context.</summary>
internal static class PluginLoader
{
    /// <summary>All plugins, by folder name.</summary>
    /// <exception cref="ConfigurationException">There is no plugin folder, or a service cannot take its settings.</exception>
    public static IReadOnlyList<LoadedPlugin> LoadAll(string folder, ServiceSettings settings, IServiceLog log)
    {
        if (!Directory.Exists(folder))
        {
            throw new ConfigurationException($"The plugin folder {folder} does not exist. Build the plugins, or name another folder with --plugins.");
        }

        try
        {
            return [.. Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).Select(plugin => Load(plugin, settings, log))];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ConfigurationException($"The plugin folder {folder} cannot be read. Give this user the right to, or name another folder with --plugins.", e);
        }
    }

    /// <summary>The services of all plugins.</summary>
    /// <exception cref="ConfigurationException">A plugin did not load, or two of them conflict.</exception>
    public static ServiceSet Combine(IReadOnlyList<LoadedPlugin> plugins, bool keepGoing, IReadOnlyList<OwnerIdentity> owners)
    {
        if (!keepGoing && plugins.FirstOrDefault(plugin => plugin.Failure is not null) is { } failed)
        {
            throw new ConfigurationException($"{failed.Folder}: {failed.Failure} Mend or remove it, or start with --keep-going.");
        }

        ServiceSet services;
        try
        {
            services = new(plugins.SelectMany(plugin => plugin.Services));
        }
        catch (ServiceConflictException e)
        {
            throw new ConfigurationException($"{e.Message} Remove one of the two from the plugin folder.", e);
        }

        try
        {
            return owners.Count == 0 ? services : new(services.Services, owners);
        }
        catch (ServiceConflictException e)
        {
            throw new ConfigurationException($"{e.Message} Remove it from the settings: what a service says of its owner stands.", e);
        }
    }

    private static LoadedPlugin Load(string folder, ServiceSettings settings, IServiceLog log)
    {
        try
        {
            string[] assemblies = [.. Directory.EnumerateFiles(folder, "*.deps.json").Select(file => file[..^".deps.json".Length] + ".dll")];
            if (assemblies is not [var path] || !File.Exists(path))
            {
                return new(folder, [], "It does not hold exactly one plugin: an assembly with its .deps.json beside it.");
            }

            var manifest = Path.ChangeExtension(path, ".deps.json");
            if (DependencyManifest.Fault(manifest) is { } fault)
            {
                return new(folder, [], $"It cannot be loaded: {Path.GetFileName(manifest)} {fault}.");
            }

            var assembly = new PluginLoadContext(path).LoadFromAssemblyPath(path);
            Service[] services = [.. assembly.GetExportedTypes()
                .Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false } && type.IsSubclassOf(typeof(Service)))
                .Select(type => settings.Create(type, log))];
            foreach (var service in services)
            {
                // A faulty table shows itself now, not at the first call.
                _ = service.Rows.Count;
                _ = service.Owners.Count;
            }

            return services.Length == 0
                ? new(folder, [], $"{Path.GetFileName(path)} holds no public class that derives from Service.")
                : new(folder, services, null);
        }
        catch (Exception e) when (e is not ConfigurationException)
        {
            return new(folder, [], $"It cannot be loaded: {e.GetBaseException().Message.TrimEnd('.')}.");
        }
    }
}
