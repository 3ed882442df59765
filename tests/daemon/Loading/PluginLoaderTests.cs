using System.Reflection;
using Hypercalls.Daemon;
using Hypercalls.Daemon.Loading;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Daemon.Loading;

/// <summary>What is wrong with a plugin is told in a sentence, and no other plugin suffers from it.</summary>
public sealed class PluginLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("hello", "HELLO")]
    [InlineData("psci", "PSCI")]
    [InlineData("sdei", "SDEI")]
    [InlineData("smccc", "SMCCC")]
    [InlineData("trng", "TRNG")]
    [InlineData("acme", "ACME")]
    [InlineData("trials", "TRIALS")]
    public void Plugins_as_they_are_built_load(string plugin, string service)
    {
        PluginCopy.Of(_folder, plugin);
        var loaded = Assert.Single(LoadAll());
        Assert.Equal((service, null, 1), (loaded.Name, loaded.Failure, loaded.Services.Count));
        Assert.NotSame(loaded.Services[0], loaded.Make!());
    }

    [Fact]
    public void A_folder_without_a_plugin()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        Fails("It holds no plugin: an assembly with its .deps.json beside it. Copy the whole output folder of its build.");
    }

    [Fact]
    public void Two_plugins_in_one_folder()
    {
        PluginCopy.Of(_folder, "hello");
        PluginCopy.Of(_folder, "psci", "hello.psci");
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder, "hello.psci")))
        {
            File.Move(file, Path.Combine(_folder, "hello", Path.GetFileName(file)));
        }

        Directory.Delete(Path.Combine(_folder, "hello.psci"));
        Fails("It holds 2 plugins, Hypercalls.Hello.deps.json and Hypercalls.Psci.deps.json: one folder is one plugin. Give each a folder of its own.");
    }

    [Fact]
    public void No_service_class()
    {
        PluginCopy.Made(_folder, "Bare", module => module.DefineType("Nothing", TypeAttributes.Public).CreateType());
        Fails("Bare.dll holds no public class that derives from Service: make the service's class public, or leave the folder away.");
    }

    [Fact]
    public void Two_service_classes()
    {
        PluginCopy.Made(_folder, "Pair", module =>
        {
            PluginCopy.AddService(module, "One");
            PluginCopy.AddService(module, "Other");
        });
        Fails("Pair.dll holds 2 public classes that derive from Service, One and Other: one plugin is one service. Make each a plugin of its own.");
    }

    [Fact]
    public void One_identifier_twice_in_a_table()
    {
        PluginCopy.Of(_folder, "hello").Patch(0x8200_0002, 0x8200_0000);
        Fails("It cannot be loaded: 0x8200_0000 stands twice in the table: HELLO_VERSION and HELLO_COUNT.");
    }

    [Fact]
    public void A_function_of_an_owner_that_the_service_does_not_declare()
    {
        PluginCopy.Of(_folder, "trials").Patch(0x8300_0021, 0x8200_0021);
        Fails("It cannot be served: 0x8200_0021 (NARROW) is a function of SiliconPartner, and TRIALS declares Oem alone. Change its table.", name: "TRIALS");
    }

    [Theory]
    [InlineData("9.9.0", "9.9")]
    [InlineData("1.0.0", "1.0")]
    [InlineData("0.2.0", "0.2")]
    [InlineData("0.0.9", "0.0.9")]
    [InlineData("0.1.7", "0.1.7")]
    public void Another_sdk(string built, string shown)
    {
        PluginCopy.Of(_folder, "hello").ForSdk(Version.Parse(built));
        Fails($"Hypercalls.Hello.dll needs Hypercalls.Sdk {shown}, and this daemon has 0.1: build it against Hypercalls.Sdk 0.1, or run it with the daemon of its version.");
    }

    [Theory]
    // needed, the daemon's, whether they go together
    [InlineData("0.1.0", "0.1.0", true)]
    [InlineData("0.1.0", "0.1.4", true)]
    [InlineData("0.1.5", "0.1.4", false)]
    [InlineData("0.1.0", "0.2.0", false)]
    [InlineData("0.1.0", "1.0.0", false)]
    [InlineData("1.0.0", "1.3.0", true)]
    [InlineData("1.2.9", "1.3.0", true)]
    [InlineData("1.3.1", "1.3.0", false)]
    [InlineData("1.4.0", "1.3.0", false)]
    [InlineData("2.0.0", "1.3.0", false)]
    public void Which_sdks_go_together(string needed, string present, bool together) =>
        Assert.Equal(together, PluginAssembly.IsCompatible(Version.Parse(needed), Version.Parse(present)));

    [Fact]
    public void A_native_library_that_is_listed_and_missing()
    {
        PluginCopy.Of(_folder, "hello").List("Seal/1.0.0", """
            { "runtimeTargets": {
                "runtimes/linux/native/libseal.so": { "rid": "linux", "assetType": "native", "fileVersion": "0.0.0.0" },
                "runtimes/win-x64/native/seal.dll": { "rid": "win-x64", "assetType": "native", "fileVersion": "0.0.0.0" } } }
            """);
        Fails("It cannot be loaded: Hypercalls.Hello.deps.json lists the native library runtimes/linux/native/libseal.so, which is not there. Copy the whole output folder of its build again.");
        Directory.CreateDirectory(Path.Combine(_folder, "hello/runtimes/linux/native"));
        File.WriteAllText(Path.Combine(_folder, "hello/runtimes/linux/native/libseal.so"), "");
        Assert.Null(Assert.Single(LoadAll()).Failure);
    }

    [Fact]
    public void A_native_library_that_is_called_and_nowhere()
    {
        PluginCopy.Made(_folder, "Sealing", module =>
        {
            PluginCopy.AddService(module, "Sealing");
            PluginCopy.AddImport(module, "acmeseal", "acme_seal");
        });
        Fails("Native.acme_seal in Sealing.dll calls the native library acmeseal, which neither the folder nor this system has. Put it beside Sealing.dll, or install it.");
    }

    [Fact]
    public void A_native_library_of_the_system_is_found()
    {
        PluginCopy.Made(_folder, "Asking", module =>
        {
            PluginCopy.AddService(module, "Asking");
            PluginCopy.AddImport(module, "libc", "getpid");
        });
        Assert.Equal(("ASKING", null), (Assert.Single(LoadAll()).Name, Assert.Single(LoadAll()).Failure));
    }

    [Theory]
    [InlineData(90)]
    [InlineData(40)]
    [InlineData(10)]
    [InlineData(0)]
    public void An_assembly_that_is_cut_short(int percent)
    {
        PluginCopy.Of(_folder, "psci").Cut(percent);
        var failure = Assert.Single(LoadAll()).Failure!;
        Assert.StartsWith("Hypercalls.Psci.dll is cut short", failure, StringComparison.Ordinal);
        Assert.EndsWith("Copy it again.", failure, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure);
    }

    [Fact]
    public void An_assembly_that_is_missing()
    {
        File.Delete(PluginCopy.Of(_folder, "hello").Assembly);
        Fails("It cannot be loaded: Hypercalls.Hello.deps.json lists its assembly Hypercalls.Hello.dll, which is not there. Copy the whole output folder of its build again.");
    }

    [Fact]
    public void A_dependency_that_is_listed_and_missing()
    {
        PluginCopy.Of(_folder, "hello").List("Acme.Paper/1.0.0", """{ "runtime": { "lib/net8.0/Acme.Paper.dll": { "assemblyVersion": "1.0.0.0" } } }""");
        Fails("It cannot be loaded: Hypercalls.Hello.deps.json lists the assembly Acme.Paper.dll, which is not there. Copy the whole output folder of its build again.");
    }

    [Fact]
    public void A_dependency_that_is_neither_listed_nor_there()
    {
        var absent = new System.Reflection.Emit.PersistedAssemblyBuilder(new("Acme.Absent") { Version = new(2, 1, 0, 0) }, typeof(object).Assembly);
        var absentType = absent.DefineDynamicModule("Acme.Absent").DefineType("Gone", TypeAttributes.Public);
        absentType.DefineDefaultConstructor(MethodAttributes.Public);
        absentType.CreateType();
        PluginCopy.Made(_folder, "Missing", module =>
        {
            PluginCopy.AddService(module, "Missing");
            module.DefineType("Heir", TypeAttributes.Public, absentType).CreateType();
        });
        Fails("It cannot be loaded: it needs the assembly Acme.Absent, Version=2.1.0.0, which neither its folder nor the daemon has. Copy the whole output folder of its build again.");
    }

    [Fact]
    public void A_manifest_that_is_cut_short()
    {
        var hello = PluginCopy.Of(_folder, "hello");
        File.WriteAllText(hello.Manifest, File.ReadAllText(hello.Manifest)[..200]);
        var failure = Assert.Single(LoadAll()).Failure!;
        Assert.StartsWith("It cannot be loaded: Hypercalls.Hello.deps.json is no JSON: ", failure, StringComparison.Ordinal);
        Assert.EndsWith("Copy the whole output folder of its build again.", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_that_conflict_the_later_folder_is_left_out_where_the_daemon_is_to_keep_going()
    {
        PluginCopy.Of(_folder, "hello", "b-hello");
        PluginCopy.Of(_folder, "twin", "a-twin");
        PluginCopy.Of(_folder, "smccc", "c-smccc");
        const string sentence = "0xC200_0001 is claimed by TWIN (TWIN_ADD) and by HELLO (HELLO_ADD). Remove one of the two from the plugin folder.";
        var loaded = LoadAll();
        Assert.Equal(sentence, Assert.Throws<ConfigurationException>(() => PluginLoader.Combine(loaded, keepGoing: false)).Message);
        var (plugins, services) = PluginLoader.Combine(loaded, keepGoing: true);
        Assert.Equal([("TWIN", null), ("HELLO", sentence), ("SMCCC", null)], plugins.Select(plugin => (plugin.Name, plugin.Failure)));
        Assert.Equal(["TWIN", "SMCCC"], services.Services.Select(service => service.Name));
    }

    [Fact]
    public void Two_of_one_name()
    {
        PluginCopy.Of(_folder, "hello");
        PluginCopy.Of(_folder, "hello", "hello2");
        var (plugins, _) = PluginLoader.Combine(LoadAll(), keepGoing: true);
        Assert.Equal([null, "Two services are named HELLO. Remove one of the two from the plugin folder."], plugins.Select(plugin => plugin.Failure));
    }

    [Fact]
    public void Settings_that_a_service_refuses_are_its_failure()
    {
        PluginCopy.Of(_folder, "hello");
        PluginCopy.Of(_folder, "psci");
        var settings = ServiceSettings.Read(null, ["PSCI.version=0.1"]);
        var loaded = LoadAll(settings);
        Assert.Equal(
            [("HELLO", null), ("PSCI", "--set PSCI.version=0.1: the versions of PSCI are 0.2, 1.0, 1.1, 1.2, 1.3.")],
            loaded.Select(plugin => (plugin.Name, plugin.Failure)));
        Assert.Equal(["HELLO"], PluginLoader.Combine(loaded, keepGoing: true).Services.Services.Select(service => service.Name));
        Assert.Throws<ConfigurationException>(() => PluginLoader.Combine(loaded, keepGoing: false));
    }

    [Fact]
    public void A_settings_file_that_cannot_be_read_fails_the_services_that_take_settings_and_no_other()
    {
        PluginCopy.Of(_folder, "hello");
        PluginCopy.Of(_folder, "psci");
        var file = Path.Combine(_folder, "services.json");
        File.WriteAllText(file, "{ \"PSCI\": ");
        Assert.Throws<ConfigurationException>(() => ServiceSettings.Read(file, []));
        var settings = ServiceSettings.Read(file, [], keepGoing: true);
        Assert.Collection(
            LoadAll(settings),
            hello => Assert.Null(hello.Failure),
            psci =>
            {
                Assert.Equal("PSCI", psci.Name);
                Assert.StartsWith($"{file}, line 1, position ", psci.Failure, StringComparison.Ordinal);
            });
        Assert.StartsWith($"{file}, line 1, position ", Assert.Single(settings.LeftOut), StringComparison.Ordinal);
    }

    private IReadOnlyList<LoadedPlugin> LoadAll(ServiceSettings? settings = null) => PluginLoader.LoadAll(_folder, settings ?? ServiceSettings.Read(null, []), new ServiceLog(_ => { }));

    /// <summary>The only plugin is told as failed, alone, and so is the daemon's start.</summary>
    private void Fails(string sentence, string? name = null)
    {
        var loaded = LoadAll();
        var failed = Assert.Single(loaded);
        Assert.Equal((name ?? Path.GetFileName(failed.Folder), sentence, 0), (failed.Name, failed.Failure, failed.Services.Count));
        Assert.Equal(
            $"{failed.Folder}: {sentence} Mend or remove it, or start with --keep-going.",
            Assert.Throws<ConfigurationException>(() => PluginLoader.Combine(loaded, keepGoing: false)).Message);
        Assert.Empty(PluginLoader.Combine(loaded, keepGoing: true).Services.Services);
    }
}
