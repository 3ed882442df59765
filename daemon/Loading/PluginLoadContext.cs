using System.Reflection;
using System.Runtime.Loader;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>A plugin's own load context: its dependencies are its own, the sdk is the daemon's.</summary>
internal sealed class PluginLoadContext(string assemblyPath)
    : AssemblyLoadContext(Path.GetFileNameWithoutExtension(assemblyPath), isCollectible: true)
{
    private static readonly string SdkName = typeof(Service).Assembly.GetName().Name!;

    private readonly AssemblyDependencyResolver _resolver = new(assemblyPath);

    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblyName.Name != SdkName && _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;
}
