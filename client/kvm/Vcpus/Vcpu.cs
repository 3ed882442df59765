using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Kvm.Devices;
using Hypercalls.Kvm.Interface;

namespace Hypercalls.Kvm.Vcpus;

/// <summary>One vCPU and the thread that owns it, in one boot after the other: it alone runs it, reads and writes its registers. Others leave word and kick.</summary>
internal sealed partial class Vcpu : IDisposable
{
    /// <summary>After an attention exit that nobody answered the guest runs at least this long, in milliseconds.</summary>
    private const int UnansweredPause = 100;

    /// <summary>And after one that was answered by "go on".</summary>
    private const int UnchangedPause = 1;

    private readonly IVcpuOwner _owner;
    private readonly GuestKind _guest;
    private readonly KvmRam _ram;
    private readonly MmioBus _bus;
    private readonly CorePowers _powers;
    private readonly Signal _signal = new();
    private readonly Timer _later;
    private readonly Lock _kicking = new();
    private readonly byte[] _data = new byte[sizeof(ulong)];

    private volatile bool _attentionWanted;
    private volatile Thread? _thread;
    private volatile uint _steps;
    private IKvmVcpu? _kicked;
    private IKvmVcpu _kvm = null!;
    private VcpuRegisters _registers = null!;
    private CallReader _calls = null!;
    private uint _boot;
    private uint _exits;
    private bool _attentionOwed;
    private long _attentionNotBefore;
    private bool _isSuspended;
    private bool _isAccessing;

    public Vcpu(int number, ulong mpidr, IVcpuOwner owner, GuestKind guest, KvmRam ram, MmioBus bus, CorePowers powers)
    {
        (Number, Mpidr) = (number, mpidr);
        (_owner, _guest, _ram, _bus, _powers) = (owner, guest, ram, bus, powers);
        _later = new(_ => Nudge());
    }

    public int Number { get; }

    /// <summary>The affinity fields.</summary>
    public ulong Mpidr { get; }

    /// <summary>Where exits go; given before the first boot.</summary>
    public IExitForwarder? Forwarder { get; set; }

    /// <summary>It is in KVM, or about to be; false while an exit is being forwarded, and when its thread has ended.</summary>
    public bool IsInKvm => _thread is not null && _forwarded is null;

    /// <summary>Goes up whenever its thread comes by: one that stands still is in KVM, or waits.</summary>
    public uint Steps => _steps;

    /// <summary>An exit of it is being forwarded.</summary>
    public bool IsForwarding => _forwarded is not null;

    /// <summary>Lives through one boot, on a thread of its own.</summary>
    public void Begin(uint boot, IKvmVcpu kvm)
    {
        (_kvm, _registers, _calls, _boot, _exits) = (kvm, new(kvm, _guest), new(_ram), boot, 0);
        (_previous, _attentionOwed, _attentionNotBefore, _isSuspended, _isAccessing) = (null, false, 0, false, false);
        lock (_kicking)
        {
            _kicked = kvm;
        }
        var thread = new Thread(Live) { IsBackground = true, Name = $"vCPU {Number}" };
        _thread = thread;
        thread.Start();
    }

    /// <summary>Waits until its thread has ended; false when it has not by then.</summary>
    public bool WaitForEnd(TimeSpan atMost) => _thread is not { } thread || thread.Join(atMost);

    /// <summary>From any thread: something changed that its own must look at.</summary>
    public void Nudge()
    {
        _signal.Give();
        lock (_kicking)
        {
            _kicked?.Kick();
        }
    }

    /// <summary>Level-triggered, from any thread.</summary>
    public void WantAttention(bool wanted)
    {
        _attentionWanted = wanted;
        if (wanted)
        {
            Nudge();
        }
    }

    /// <summary>After its last boot.</summary>
    public void Dispose() => _later.Dispose();

    private bool IsOver => _owner.HasEnded || _powers.IsEnding;

    private bool AttentionIsDue => _attentionOwed || (_attentionWanted && Environment.TickCount64 >= _attentionNotBefore);

    private void Live()
    {
        try
        {
            if (_owner.PsciIsTheKernels)
            {
                _registers.KeepReset();
            }
            while (true)
            {
                // Before all that decides what comes next: what changes after this was read makes the run come back.
                var kicks = _kvm.Kicks;
                if (IsOver)
                {
                    break;
                }
                Step(kicks);
            }
        }
        catch (Exception e) when (e is MachineStopsException or KvmException or IOException)
        {
            _owner.Fail(e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _owner.Fail($"The thread of vCPU {Number} failed: {e}");
        }
        finally
        {
            lock (_kicking)
            {
                _kicked = null;
            }
            _thread = null;
        }
    }

    private void Step(uint kicks)
    {
        _steps++;
        if (_powers.TakeStart(Number) is { } start)
        {
            Start(start);
        }
        else if (!_powers.IsOn(Number) && !_owner.PsciIsTheKernels)
        {
            _signal.Wait(Timeout.Infinite);
        }
        else if (!AttentionIsDue || !TryAttend())
        {
            Take(_registers.Run(kicks, TakeData()));
        }
    }

    private void Start(CoreStart start)
    {
        _registers.Start(start);
        (_isSuspended, _attentionOwed) = (false, false);
        if (start.Commit != 0)
        {
            _powers.Started(Number, start.Commit);
        }
    }

    /// <summary>What a device gave for the access that KVM finishes next.</summary>
    private ReadOnlySpan<byte> TakeData()
    {
        var data = _isAccessing ? _data : [];
        _isAccessing = false;
        return data;
    }

    /// <summary>The guest is wanted again, but not before this.</summary>
    private void PauseAttention(int milliseconds)
    {
        _attentionNotBefore = Environment.TickCount64 + milliseconds;
        _later.Change(milliseconds, Timeout.Infinite);
    }
}
