using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>Reads an assembly's metadata before any of its types are loaded: whether it is whole, for which sdk it was built, and what it imports.</summary>
internal static class PluginAssembly
{
    private static readonly AssemblyName s_sdk = typeof(Service).Assembly.GetName();

    /// <summary>Looks at an assembly of a plugin.</summary>
    /// <exception cref="PluginFaultException">It is cut short, or was built for another sdk.</exception>
    public static void Check(string path) => Read(path, (metadata, _) =>
    {
        foreach (var handle in metadata.AssemblyReferences)
        {
            var reference = metadata.GetAssemblyReference(handle);
            if (metadata.GetString(reference.Name) == s_sdk.Name && !IsCompatible(reference.Version, s_sdk.Version!))
            {
                throw new PluginFaultException(
                    $"{Path.GetFileName(path)} needs {s_sdk.Name} {Shown(reference.Version)}, and this daemon has {Shown(s_sdk.Version!)}: build it against {s_sdk.Name} {Shown(s_sdk.Version!)}, or run it with the daemon of its version.");
            }
        }

        return 0;
    });

    /// <summary>The native libraries that an assembly calls, each with the first method that does.</summary>
    /// <returns>None where it finds its libraries by code of its own.</returns>
    public static IReadOnlyList<(string Library, string Method)> Imports(string path) => Read<IReadOnlyList<(string, string)>>(path, (metadata, _) =>
    {
        if (metadata.MemberReferences.Any(handle => metadata.GetString(metadata.GetMemberReference(handle).Name) is "SetDllImportResolver" or "add_ResolvingUnmanagedDll"))
        {
            return [];
        }

        return
        [
            .. from handle in metadata.MethodDefinitions
               let method = metadata.GetMethodDefinition(handle)
               where (method.Attributes & MethodAttributes.PinvokeImpl) != 0
               let module = method.GetImport().Module
               where !module.IsNil
               let type = metadata.GetTypeDefinition(method.GetDeclaringType())
               group $"{metadata.GetString(type.Name)}.{metadata.GetString(method.Name)}" by metadata.GetString(metadata.GetModuleReference(module).Name) into imports
               select (imports.Key, imports.First()),
        ];
    });

    /// <summary>The same major version and, below 1.0, the same minor one, and not newer than the daemon's.</summary>
    internal static bool IsCompatible(Version needed, Version present) =>
        needed.Major == present.Major
        && (present.Major > 0 || needed.Minor == present.Minor)
        && (needed.Minor, Math.Max(needed.Build, 0)).CompareTo((present.Minor, Math.Max(present.Build, 0))) <= 0;

    private static T Read<T>(string path, Func<MetadataReader, PEReader, T> read)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var image = new PEReader(file);
            var end = image.PEHeaders.SectionHeaders.Select(section => (long)section.PointerToRawData + section.SizeOfRawData).DefaultIfEmpty().Max();
            if (end > file.Length)
            {
                throw new PluginFaultException($"{Path.GetFileName(path)} is cut short: it has {file.Length} bytes of at least {end}. Copy it again.");
            }

            return image.HasMetadata
                ? read(image.GetMetadataReader(), image)
                : throw new PluginFaultException($"{Path.GetFileName(path)} is no .NET assembly. Copy the output of its build again.");
        }
        catch (BadImageFormatException e)
        {
            throw new PluginFaultException($"{Path.GetFileName(path)} is cut short, or no assembly: {e.Message.TrimEnd('.')}. Copy it again.", e);
        }
    }

    // 0.1 where the third number says nothing.
    private static string Shown(Version version) => version.ToString(version.Build > 0 ? 3 : 2);
}
