using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using Hypercalls.Client;
using Hypercalls.Grpc;
using Hypercalls.Hosts;
using Hypercalls.Protos;
using Hypercalls.Qemu;

namespace Hypercalls.Bench.Guests;

/// <summary>A guest in QEMU whose vCPU host is this process, by the libraries that `hypercalls run` uses: what passes between guest and daemon can be seen on its way.</summary>
internal sealed class GuestMachine : IDisposable
{
    public const string Name = "guest";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly HttpChannel _channel;
    private readonly QemuMachine _machine;
    private readonly MachineBoot _boot;
    private readonly MachineSession _session;
    private readonly Thread _thread;
    private readonly BlockingCollection<Told> _told = [];
    private volatile string _end = "it goes on";
    private int _isRung;

    private GuestMachine(HttpChannel channel, QemuMachine machine, MachineBoot boot, MachineSession session)
    {
        (_channel, _machine, _boot, _session) = (channel, machine, boot, session);
        Clock = new(boot.IdRegisters.Single(register => register.Key == "CNTFRQ_EL0").Value);
        // A QEMU outlives its host unless it is told.
        AppDomain.CurrentDomain.ProcessExit += Stop;
        _thread = new(Run) { IsBackground = true, Name = "guest" };
        _thread.Start();
    }

    public GuestClock Clock { get; }

    /// <summary>Of the core that it starts with.</summary>
    public ulong BootCore => _boot.Cores[0];

    /// <exception cref="BenchException">QEMU or the daemon does not take it.</exception>
    public static GuestMachine Start(GrpcAddress daemon, string kernel, int cores)
    {
        var channel = HttpChannel.ForAddress(daemon);
        QemuMachine? machine = null;
        try
        {
            machine = QemuMachine.Start(new() { Kernel = kernel, Cores = cores, MemoryMiB = 64 });
            var boot = machine.WaitForBoot();
            var session = MachineSession.AttachAsync(channel.CreateCallInvoker(), Hello(boot), KernelShare.None("the monitor forwards every call"), machine.AttentionWanted);
            return new(channel, machine, boot, session.GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is HostException or RpcException)
        {
            machine?.Dispose();
            channel.Dispose();
            throw new BenchException(e.Message);
        }
    }

    /// <summary>What the daemon is told of a machine.</summary>
    public static Hello Hello(MachineBoot boot) => new()
    {
        Machine = Name,
        RequiredFeatures = { "attention" },
        Boot = boot.Boot,
        Ram = { new MemoryRange { Base = boot.RamBase, Size = boot.RamSize } },
        Cores = { boot.Cores.Select((mpidr, number) => new Core { Mpidr = mpidr, Power = number == 0 ? CorePower.On : CorePower.Off }) },
        Conduits = { boot.Conduits },
        ClientEl = boot.ClientEl,
        Host = boot.Host,
        IdRegisters = { boot.IdRegisters.Select(register => new NamedRegister { Name = register.Key, Value = register.Value }) },
    };

    /// <summary>The next that is told, which must be this.</summary>
    /// <exception cref="BenchException">It is not, or nothing is told.</exception>
    public Told Next(params ReadOnlySpan<What> expected) =>
        !_told.TryTake(out var told, s_patience) ? throw new BenchException($"The guest tells nothing: {_end}.")
        : !expected.Contains(told.What) ? throw new BenchException($"The guest tells {told}.")
        : told;

    /// <summary>Stops the boot core as for attention, and lets it go on.</summary>
    /// <returns>How long it took until its exit was here, in ticks of the clock; and where the guest was.</returns>
    public (long Ticks, ulong Pc) Ring()
    {
        Volatile.Write(ref _isRung, 1);
        var began = Stopwatch.GetTimestamp();
        _machine.AttentionWanted(BootCore, true);
        var told = Next(What.Stopped);
        return ((long)told.A - began, told.B);
    }

    /// <summary>Whether this exit is that of <see cref="Ring"/>.</summary>
    public bool TryStopRinging()
    {
        if (Interlocked.Exchange(ref _isRung, 0) == 0)
        {
            return false;
        }

        _machine.AttentionWanted(BootCore, false);
        return true;
    }

    public void Tell(Told told)
    {
        if (told.What != What.Counted && !_told.IsAddingCompleted)
        {
            _told.Add(told);
        }
    }

    public void Fail(string why)
    {
        _end = why;
        _told.CompleteAdding();
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= Stop;
        _machine.Stop();
        _thread.Join();
        _session.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _machine.Dispose();
        _channel.Dispose();
        _told.Dispose();
    }

    private void Run()
    {
        try
        {
            Fail(_machine.Run(_boot, _session.Accepted.DeviceTree, mpidr => new WatchedVcpu(_session.OpenVcpu(mpidr), this), _session).ToString());
        }
        catch (HostException e)
        {
            Fail(e.Message);
        }
    }

    private void Stop(object? sender, EventArgs e) => _machine.Dispose();
}
