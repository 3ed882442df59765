using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Text.Json.Nodes;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Daemon.Loading;

/// <summary>A plugin folder of a test's own: the copy of a built plugin, or one that is made here, and what is wrong with it.</summary>
internal sealed class PluginCopy
{
    private PluginCopy(string folder, string assembly) => (Folder, Assembly) = (folder, assembly);

    public string Folder { get; }

    public string Assembly { get; }

    public string Manifest => Path.ChangeExtension(Assembly, ".deps.json");

    /// <summary>A copy of a plugin that was built.</summary>
    public static PluginCopy Of(string parent, string plugin, string? name = null)
    {
        var source = ((string[])["plugins", "samples", "test-plugins"]).Select(kind => Path.Combine(TestDaemon.Artifacts, kind, plugin)).First(Directory.Exists);
        var folder = Directory.CreateDirectory(Path.Combine(parent, name ?? plugin)).FullName;
        foreach (var file in Directory.EnumerateFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return new(folder, Directory.GetFiles(folder, "*.dll").Single());
    }

    /// <summary>An assembly that is made here, with a manifest that lists it alone.</summary>
    public static PluginCopy Made(string parent, string name, Action<ModuleBuilder> make)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, name.ToLowerInvariant())).FullName;
        var assembly = new PersistedAssemblyBuilder(new(name) { Version = new(1, 0, 0, 0) }, typeof(object).Assembly);
        make(assembly.DefineDynamicModule(name));
        var path = Path.Combine(folder, name + ".dll");
        assembly.Save(path);
        var copy = new PluginCopy(folder, path);
        File.WriteAllText(copy.Manifest, $$"""
            { "runtimeTarget": { "name": "net" }, "targets": { "net": { "{{name}}/1.0.0": { "runtime": { "{{name}}.dll": {} } } } },
              "libraries": { "{{name}}/1.0.0": { "type": "project", "serviceable": false, "sha512": "" } } }
            """);
        return copy;
    }

    /// <summary>A public service without functions.</summary>
    public static void AddService(ModuleBuilder module, string name)
    {
        var type = module.DefineType(name, TypeAttributes.Public | TypeAttributes.Class, typeof(Service<object>));
        Getter(type, "Name", typeof(string), code => code.Emit(OpCodes.Ldstr, name.ToUpperInvariant()));
        Getter(type, "Version", typeof(string), code => code.Emit(OpCodes.Ldstr, "1.0"));
        Getter(type, "Functions", typeof(FunctionTable<object>), code => code.Emit(OpCodes.Newobj, typeof(FunctionTable<object>).GetConstructor([])!));
        type.CreateType();
    }

    /// <summary>A class with a method of a native library.</summary>
    public static void AddImport(ModuleBuilder module, string library, string method)
    {
        var type = module.DefineType("Native", TypeAttributes.NotPublic | TypeAttributes.Class);
        type.DefinePInvokeMethod(method, library, MethodAttributes.Public | MethodAttributes.Static | MethodAttributes.PinvokeImpl, CallingConventions.Standard, typeof(int), [], System.Runtime.InteropServices.CallingConvention.Cdecl, System.Runtime.InteropServices.CharSet.Ansi);
        type.CreateType();
    }

    /// <summary>Keeps the first bytes of its assembly.</summary>
    public PluginCopy Cut(int percent)
    {
        using var file = File.OpenWrite(Assembly);
        file.SetLength(file.Length * percent / 100);
        return this;
    }

    /// <summary>Replaces the only place where these bytes stand.</summary>
    public PluginCopy Patch(uint word, uint by)
    {
        var bytes = File.ReadAllBytes(Assembly);
        Span<byte> sought = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(sought, word);
        var at = bytes.AsSpan().IndexOf(sought);
        Assert.True(at >= 0 && bytes.AsSpan(at + 1).IndexOf(sought) < 0, $"0x{word:X8} stands not once in {Assembly}.");
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), by);
        File.WriteAllBytes(Assembly, bytes);
        return this;
    }

    /// <summary>As if it was built against another sdk.</summary>
    public PluginCopy ForSdk(Version version)
    {
        var bytes = File.ReadAllBytes(Assembly);
        using (var image = new PEReader(new MemoryStream([.. bytes])))
        {
            var metadata = image.GetMetadataReader();
            var row = metadata.AssemblyReferences.Single(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name) == "Hypercalls.Sdk");
            var at = image.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef)
                + metadata.GetTableRowSize(TableIndex.AssemblyRef) * (MetadataTokens.GetRowNumber(row) - 1);
            var numbers = (int[])[version.Major, version.Minor, version.Build, 0];
            for (var i = 0; i < numbers.Length; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at + 2 * i), (ushort)numbers[i]);
            }
        }

        File.WriteAllBytes(Assembly, bytes);
        return this;
    }

    /// <summary>Lists a library in the manifest.</summary>
    public PluginCopy List(string library, string assets)
    {
        var manifest = JsonNode.Parse(File.ReadAllText(Manifest))!;
        manifest["targets"]![(string)manifest["runtimeTarget"]!["name"]!]![library] = JsonNode.Parse(assets);
        manifest["libraries"]![library] = JsonNode.Parse("""{ "type": "package", "serviceable": true, "sha512": "" }""");
        File.WriteAllText(Manifest, manifest.ToJsonString());
        return this;
    }

    private static void Getter(TypeBuilder type, string name, Type returns, Action<ILGenerator> load)
    {
        var overridden = typeof(Service<object>).GetProperty(name)!.GetMethod!;
        var getter = type.DefineMethod("get_" + name, MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig | MethodAttributes.SpecialName, returns, []);
        var code = getter.GetILGenerator();
        load(code);
        code.Emit(OpCodes.Ret);
        type.DefineMethodOverride(getter, overridden);
    }
}
