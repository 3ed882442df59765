using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdk;

/// <summary>Nothing in the sdk holds on to the types of a service: the daemon can drop its load context.</summary>
public sealed class UnloadingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("Hypercalls.Psci", "Hypercalls.Psci.PsciService")]
    [InlineData("Hypercalls.Hello", "Hypercalls.Hello.HelloService")]
    [InlineData("Hypercalls.Smccc", "Hypercalls.Smccc.SmcccService", """{ "version": "1.2", "socId": { "bank": 4, "code": "0x3B", "number": 7 } }""")]
    [InlineData("Hypercalls.Psci", "Hypercalls.Psci.PsciService", """{ "suspendStates": [{ "name": "s", "stateId": "0x1", "levels": ["Standby"] }] }""")]
    public async Task A_service_that_was_set_called_printed_and_saved_can_be_unloaded(string assembly, string service, string? settings = null)
    {
        var context = CallPrintAndSave(assembly, service, settings);
        var waiting = Stopwatch.StartNew();
        for (var round = 10; context.IsAlive && waiting.Elapsed < Patience; round++)
        {
            await Task.Delay(100);

            // The serializer drops what it has not used for a second when it meets options it does not know.
            JsonSerializer.Serialize(new TableState(), UnknownOptions(round));
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(context.IsAlive);
    }

    private static JsonSerializerOptions UnknownOptions(int depth) => new() { MaxDepth = depth };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference CallPrintAndSave(string assembly, string name, string? settings)
    {
        var context = new AssemblyLoadContext(assembly, isCollectible: true);
        var type = context.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assembly + ".dll")).GetType(name)!;
        var machine = new TestMachine(2, Settings.Create(type, settings is null ? null : System.Text.Json.Nodes.JsonNode.Parse(settings)!.AsObject()));
        foreach (var id in machine.Services.Services[0].Rows.SelectMany(row => row.Ids))
        {
            machine.Call(id.Value, 1, 0x4008_0000);
        }

        Assert.NotEmpty(machine.State);
        Assert.NotSame(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(type.Assembly));
        context.Unload();
        return new(context);
    }
}
