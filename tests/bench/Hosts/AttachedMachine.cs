using Grpc.Core;
using Hypercalls.Bench.Load;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Protos;

namespace Hypercalls.Bench.Hosts;

/// <summary>A machine without a guest: what a vCPU host does, by the library that hosts use.</summary>
internal sealed class AttachedMachine : IDisposable
{
    private readonly HttpChannel _channel;
    private readonly MachineSession _session;

    private AttachedMachine(HttpChannel channel, MachineSession session, string name)
    {
        (_channel, _session) = (channel, session);
        Name = name;
    }

    public string Name { get; }

    public Google.Protobuf.ByteString Token => _session.Welcome.Token;

    /// <summary>Attaches by a connection of its own, every core running.</summary>
    public static AttachedMachine Attach(GrpcAddress daemon, int cores, string name = "bench", HttpChannelOptions? options = null)
    {
        var channel = HttpChannel.ForAddress(daemon, options);
        try
        {
            var session = MachineSession.AttachAsync(channel.CreateCallInvoker(), Hello(name, cores), KernelShare.None("there is no guest"), (_, _) => { });
            return new(channel, session.GetAwaiter().GetResult(), name);
        }
        catch (RpcException e)
        {
            channel.Dispose();
            throw new BenchException($"The daemon does not take the machine: {e.Status.Detail}");
        }
    }

    /// <summary>A caller on each of the first cores, by the vCPUs' streams.</summary>
    public IReadOnlyList<ICaller> Streams(int count) => [.. Enumerable.Range(0, count).Select(core => new StreamCaller(_session.OpenVcpu(Mpidr(core))))];

    /// <summary>A caller on each of the first cores, by calls with one request and one reply.</summary>
    public IReadOnlyList<ICaller> Unary(int count) => [.. Enumerable.Range(0, count).Select(core => new UnaryCaller(_channel.CreateCallInvoker(), Name, Mpidr(core)))];

    public void Dispose()
    {
        _session.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _channel.Dispose();
    }

    private static Hello Hello(string name, int cores) => new()
    {
        Machine = name,
        Boot = PsciVersionCall.Boot,
        ClientEl = 1,
        Host = "bench",
        Ram = { new MemoryRange { Base = 0x4000_0000, Size = 0x1000_0000 } },
        Cores = { Enumerable.Range(0, cores).Select(core => new Core { Mpidr = Mpidr(core), Power = CorePower.On }) },
        Conduits = { Conduit.Smc, Conduit.Hvc },
    };

    // Clusters of 16 at most, as GICv3 machines have them.
    private static ulong Mpidr(int core) => (ulong)(core / 16 << 8 | core % 16);
}
