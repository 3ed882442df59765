using System.Reflection;
using System.Runtime.InteropServices;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>Loads every sub-folder of the plugin folder, each in its own load context: one plugin, one service.</summary>
internal static class PluginLoader
{
    /// <summary>All plugins, by folder name.</summary>
    /// <exception cref="ConfigurationException">There is no plugin folder.</exception>
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
    /// <param name="plugins">By folder name: of two that conflict the later one is left out.</param>
    /// <param name="keepGoing">Start without those that failed.</param>
    /// <returns>The plugins, those that conflict as failed, and what the others serve.</returns>
    /// <exception cref="ConfigurationException">A plugin did not load, or two of them conflict.</exception>
    public static (IReadOnlyList<LoadedPlugin> Plugins, ServiceSet Services) Combine(IReadOnlyList<LoadedPlugin> plugins, bool keepGoing)
    {
        List<LoadedPlugin> combined = [];
        var services = new ServiceSet([]);
        foreach (var plugin in plugins)
        {
            var (added, together) = Add(plugin, services);
            if (added.Failure is { } failure && !keepGoing)
            {
                throw new ConfigurationException(added.IsOfOthers ? failure : $"{added.Folder}: {failure} Mend or remove it, or start with --keep-going.");
            }

            combined.Add(added);
            services = together;
        }

        return (combined, services);
    }

    /// <summary>One plugin.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="settings">What the operator sets.</param>
    /// <param name="log">Where services write.</param>
    /// <returns>Its service, or what is wrong with it.</returns>
    public static LoadedPlugin Load(string folder, ServiceSettings settings, IServiceLog log)
    {
        PluginLoadContext? context = null;
        string? name = null;
        try
        {
            var (path, others) = PluginFiles.Check(folder);
            context = new(path);
            var assembly = context.LoadFromAssemblyPath(path);
            foreach (var managed in others.Prepend(path))
            {
                CheckImports(managed, managed == path ? assembly : null, context);
            }

            var type = ServiceOf(assembly, Path.GetFileName(path));
            Service Make() => settings.Create(type, log, named => name = named);
            var service = Make();
            name = service.Name;
            // A faulty table shows itself now, not at the first call.
            _ = new ServiceSet([service]);
            return new(folder, [service], null) { Make = Make };
        }
        catch (Exception e)
        {
            context?.Unload();
            return new LoadedPlugin(folder, [], Sentence(e)) { Name = name ?? Path.GetFileName(folder), IsOfOthers = e is ConfigurationException };
        }
    }

    private static (LoadedPlugin Plugin, ServiceSet Services) Add(LoadedPlugin plugin, ServiceSet services)
    {
        try
        {
            return (plugin, plugin.Services.Count == 0 ? services : new(services.Services.Concat(plugin.Services)));
        }
        catch (ServiceConflictException e)
        {
            return (plugin with { Services = [], Failure = $"{e.Message} Remove one of the two from the plugin folder.", IsOfOthers = true, Make = null }, services);
        }
    }

    private static Type ServiceOf(Assembly assembly, string file)
    {
        Type[] services = [.. assembly.GetExportedTypes().Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false } && type.IsSubclassOf(typeof(Service)))];
        return services switch
        {
            [var only] => only,
            [] => throw new PluginFaultException($"{file} holds no public class that derives from Service: make the service's class public, or leave the folder away."),
            _ => throw new PluginFaultException($"{file} holds {services.Length} public classes that derive from Service, {string.Join(" and ", services.Select(type => type.Name))}: one plugin is one service. Make each a plugin of its own."),
        };
    }

    private static void CheckImports(string path, Assembly? assembly, PluginLoadContext context)
    {
        foreach (var (library, method) in PluginAssembly.Imports(path))
        {
            // Loaded only where it has to be: the sdk, where a folder brings one, must stay the daemon's.
            assembly ??= context.LoadFromAssemblyPath(Path.GetFullPath(path));
            if (!NativeLibrary.TryLoad(library, assembly, null, out var handle))
            {
                throw new PluginFaultException($"{method} in {Path.GetFileName(path)} calls the native library {library}, which neither the folder nor this system has. Put it beside {Path.GetFileName(path)}, or install it.");
            }

            NativeLibrary.Free(handle);
        }
    }

    private static string Sentence(Exception fault) => fault switch
    {
        ConfigurationException or PluginFaultException => fault.Message,
        ServiceConflictException => $"It cannot be served: {fault.Message} Change its table.",
        FileNotFoundException { FileName: { Length: > 0 } missing } =>
            $"It cannot be loaded: it needs the assembly {missing.Split(", Culture=")[0]}, which neither its folder nor the daemon has. Copy the whole output folder of its build again.",
        _ => $"It cannot be loaded: {fault.GetBaseException().Message.ReplaceLineEndings(" ").Split(" (Parameter ")[0].TrimEnd('.')}.",
    };
}
