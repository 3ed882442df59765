using System.Collections.Concurrent;
using Google.Protobuf;
using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Qemu;

/// <summary>What stands in for a daemon: a little PSCI, the functions of tests/Guest/guest.h, and one handler for each core that attention enters.</summary>
internal sealed partial class Responder : IMachineEvents
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Core> _cores = [];
    private ulong _commit;
    private readonly bool _atEl2;
    private readonly Dictionary<uint, ulong> _fires = [];
    private int _deaf;

    private sealed class Core
    {
        public bool On { get; set; }

        public ulong Handler { get; set; }

        public RegisterFile? Interrupted { get; set; }

        public ulong Attentions { get; set; }

        public bool Asked { get; set; }

        /// <summary>Interrupts that wait for the handler.</summary>
        public Queue<uint> Fired { get; } = [];

        /// <summary>The one that it runs for.</summary>
        public uint? Serving { get; set; }

        /// <summary>One for each handler that has completed in a storm.</summary>
        public SemaphoreSlim Completed { get; } = new(0);
    }

    public Responder(IGuestMachine machine, MachineBoot boot)
    {
        Machine = machine;
        _atEl2 = boot.ClientEl == 2;
        foreach (var mpidr in boot.Cores)
        {
            _cores.Add(mpidr, new() { On = mpidr == boot.Cores[0] });
        }
    }

    /// <summary>What its little PSCI wants the guest to find.</summary>
    public static IReadOnlyList<DeviceTreeNode> DeviceTree { get; } =
    [
        new()
        {
            Path = "/psci",
            Properties =
            {
                new DeviceTreeProperty { Name = "compatible", Data = ByteString.CopyFromUtf8("arm,psci-1.0\0arm,psci-0.2\0") },
                new DeviceTreeProperty { Name = "method", Conduit = new() },
            },
        },
        new() { Path = "/cpus/cpu@*", Properties = { new DeviceTreeProperty { Name = "enable-method", Data = ByteString.CopyFromUtf8("psci\0") } } },
    ];

    public IGuestMachine Machine { get; }

    /// <summary>All that was told, in order: core changes and resets.</summary>
    public ConcurrentQueue<string> Told { get; } = [];

    /// <summary>Every exit, as it came.</summary>
    public ConcurrentQueue<(ulong Mpidr, Exit Exit)> Exits { get; } = [];

    /// <summary>Exits whose fallback was told at once.</summary>
    public ConcurrentQueue<ulong> GivenUp { get; } = [];

    /// <summary>When set, hypercalls are not kept.</summary>
    public bool Forgets { get; init; }

    public IExitForwarder For(ulong mpidr) => new Forwarder(this, mpidr);

    public void CoreStateChanged(ulong mpidr, CoreChange change, ulong commit)
    {
        lock (_gate)
        {
            Told.Enqueue($"{change} {mpidr:x}");
            _cores[mpidr].On = change is CoreChange.Started || (change is not CoreChange.Stopped and not CoreChange.Refused && _cores[mpidr].On);
        }
    }

    public void ResetHappened(ulong boot, ResetKind kind, string cause)
    {
        lock (_gate)
        {
            Told.Enqueue($"{kind} boot {boot} by {cause}");
            foreach (var (mpidr, core) in _cores)
            {
                core.On = mpidr == 0;
                core.Handler = 0;
                core.Interrupted = null;
                core.Asked = false;
            }
        }
    }

    private Answer? Respond(ulong mpidr, Exit exit)
    {
        if (!Forgets || exit.Hypercall is null)
        {
            Exits.Enqueue((mpidr, exit));
        }
        var answer = exit.KindCase switch
        {
            Exit.KindOneofCase.Hypercall => Call(mpidr, exit),
            Exit.KindOneofCase.Attention or Exit.KindOneofCase.Wake when _deaf > 0 => Ignore(),
            Exit.KindOneofCase.Attention => Attend(mpidr, exit.Attention),
            _ => new() { None = new() },
        };
        if (answer is not null)
        {
            answer.ExitId = exit.ExitId;
            answer.Boot = exit.Boot;
            answer.Commit = Interlocked.Increment(ref _commit);
        }
        return answer;
    }

    private Answer? Ignore()
    {
        _deaf--;
        return null;
    }

    private Answer? Call(ulong mpidr, Exit exit) =>
        (exit.Hypercall.X0 >> 24 & 0x3f) == 0x03 ? CallVendor(mpidr, exit) : CallStandard(mpidr, exit.Hypercall);

    private Answer CallStandard(ulong mpidr, HypercallExit call)
    {
        const ulong InvalidParameters = ulong.MaxValue - 1;
        const ulong AlreadyOn = ulong.MaxValue - 3;
        lock (_gate)
        {
            switch ((uint)call.X0)
            {
                case 0x8400_0000: // PSCI_VERSION
                case 0x8000_0000: // SMCCC_VERSION
                    return X0(0x1_0001);
                case 0x8400_000a: // PSCI_FEATURES
                    return X0((uint)call.X1 is 0x8400_0001 or 0xc400_0001 or 0x8400_0002 or 0x8400_0003 or 0xc400_0003 or 0x8400_0004 or 0xc400_0004 or 0x8000_0000 ? 0 : ulong.MaxValue);
                case 0x8400_0006: // MIGRATE_INFO_TYPE
                    return X0(2);
                case 0x8400_0001 or 0xc400_0001: // CPU_SUSPEND
                    var suspend = X0(0);
                    suspend.Suspend = new() { PowerDown = (call.X1 & 1 << 16) == 0 ? null : new() { EntryPoint = call.X2, ContextId = call.X3 } };
                    return suspend;
                case 0x8400_0002: // CPU_OFF
                    return new() { None = new(), PowerOff = new() };
                case 0x8400_0003 or 0xc400_0003: // CPU_ON
                    if (!_cores.TryGetValue(call.X1, out var core) || core.On)
                    {
                        return X0(core is null ? InvalidParameters : AlreadyOn);
                    }
                    core.On = true;
                    var start = X0(0);
                    start.PowerOn = new() { Core = call.X1, EntryPoint = call.X2, ContextId = call.X3, IfRefused = ulong.MaxValue - 5 };
                    return start;
                case 0x8400_0004 or 0xc400_0004: // AFFINITY_INFO
                    return X0(!_cores.TryGetValue(call.X1, out var asked) ? InvalidParameters : asked.On ? 0ul : 1);
                case 0x8400_0008: // SYSTEM_OFF
                    return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Shutdown } };
                case 0xc400_000e: // SYSTEM_SUSPEND
                    return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Suspend, Data = { call.X1, call.X2 } } };
                case 0xc400_0012: // SYSTEM_RESET2
                    return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Reset, Data = { 1, call.X1, call.X2 } } };
                case 0x8400_0009: // SYSTEM_RESET
                    return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Reset } };
                default:
                    return X0(ulong.MaxValue);
            }
        }
    }

    private Answer Attend(ulong mpidr, AttentionExit exit)
    {
        lock (_gate)
        {
            var core = _cores[mpidr];
            if (exit.Reason == AttentionReason.Interrupt)
            {
                _fires[exit.Intid] = _fires.GetValueOrDefault(exit.Intid) + 1;
                core.Fired.Enqueue(exit.Intid);
            }
            if (core.Handler == 0)
            {
                // Polled for: it ends by a call.
                core.Fired.Clear();
            }
            if ((!core.Asked && core.Fired.Count == 0) || core.Handler == 0 || core.Interrupted is not null)
            {
                return new() { None = new() };
            }
            var registers = exit.Registers;
            core.Interrupted = registers;
            core.Serving = core.Fired.TryDequeue(out var fired) ? fired : null;
            if (core.Serving is null)
            {
                core.Asked = false;
                core.Attentions++;
            }
            Machine.AttentionWanted(mpidr, false);
            return new()
            {
                None = new(),
                Load = new()
                {
                    Registers = { new Register { Index = 0, Value = core.Serving is { } intid ? 1ul << 32 | intid : core.Attentions } },
                    Pc = core.Handler,
                    // The level of the machine: EL2h, svc or EL1h.
                    Pstate = _atEl2 ? 0x3c9u : (registers.Pstate & 0x10) != 0 ? 0x1d3u : 0x3c5,
                },
            };
        }
    }

    private Answer Complete(ulong mpidr)
    {
        lock (_gate)
        {
            var core = _cores[mpidr];
            if (core.Interrupted is not { } was)
            {
                return X0(ulong.MaxValue);
            }
            core.Interrupted = null;
            if (core.Serving is null)
            {
                core.Completed.Release();
            }
            if (core.Asked || core.Fired.Count > 0)
            {
                Machine.AttentionWanted(mpidr, true);
            }
            uint[] ended = core.Serving is { } intid ? [intid] : [];
            core.Serving = null;
            return new()
            {
                None = new(),
                EndedInterrupts = { ended },
                Load = new()
                {
                    Registers = { Enumerable.Range(0, 18).Select(n => new Register { Index = (uint)n, Value = was.X[n] }) },
                    Pc = was.Pc,
                    Pstate = was.Pstate,
                },
            };
        }
    }

    private void Ask(ulong mpidr)
    {
        lock (_gate)
        {
            _cores[mpidr].Asked = true;
            if (_cores[mpidr].Interrupted is null)
            {
                Machine.AttentionWanted(mpidr, true);
            }
        }
    }

    private static Answer X0(ulong x0, ulong x1 = 0, ulong x2 = 0, ulong x3 = 0) => new() { Values = new() { X0 = x0, X1 = x1, X2 = x2, X3 = x3 } };

    private static MemoryBlock Block(ulong address, params byte[] bytes) => new() { Base = address, Data = ByteString.CopyFrom(bytes) };

    private sealed class Forwarder(Responder responder, ulong mpidr) : IExitForwarder
    {
        public Answer? Forward(Exit vcpuExit) => responder.Respond(mpidr, vcpuExit);

        public void GaveUp(Exit vcpuExit) => responder.GivenUp.Enqueue(vcpuExit.ExitId);
    }
}
