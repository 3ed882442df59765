using Hypercalls.Client;
using Hypercalls.Hosts;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Process;

namespace Hypercalls.Qemu.Vcpus;

/// <summary>One vCPU and the thread that owns it: it alone takes the exits, answers them and kicks.</summary>
internal sealed partial class Vcpu
{
    /// <summary>A doorbell that is not heard by then, in milliseconds, is rung again.</summary>
    private const int KickPatience = 20;

    /// <summary>And by then it is worth a remark: a busy machine alone is not that late.</summary>
    private const int KickRemark = 2000;

    /// <summary>After an attention exit that nobody answered the guest runs at least this long, in milliseconds.</summary>
    private const int AttentionPause = 100;

    private const ulong AffinityMask = 0xff_00ff_ffff;

    private readonly IVcpuOwner _owner;
    private readonly GuestRam _ram;
    private readonly Mailbox _mailbox;
    private readonly VcpuRecords _records;
    private readonly Door _door;
    private readonly CorePowers _powers;
    private readonly OwedInterrupts _owed;
    private readonly Signal _signal = new();
    private readonly Thread _thread;

    private volatile bool _attentionWanted;
    private bool _attentionOwed;
    private long _attentionNotBefore;
    private long _kickedAt;
    private long _rungAt;
    private bool _remarked;
    private uint _seen;
    private uint _boot;
    private MonitorExit? _unanswered;

    public Vcpu(int number, IVcpuOwner owner, GuestKind guest, GuestRam ram, VcpuRecords records, Door door, CorePowers powers, OwedInterrupts owed)
    {
        Number = number;
        _owner = owner;
        _ram = ram;
        _mailbox = new(ram, number, guest);
        _records = records;
        _door = door;
        _powers = powers;
        _owed = owed;
        _thread = new(Loop) { IsBackground = true, Name = $"vCPU {number}" };
    }

    public int Number { get; }

    /// <summary>The affinity fields; known from the first BOOT exit on.</summary>
    public ulong Mpidr { get; private set; }

    /// <summary>The ID registers of the first BOOT exit.</summary>
    public ulong[] Identity { get; private set; } = [];

    /// <summary>Where exits go; given before the vCPU runs its first instruction.</summary>
    public IExitForwarder? Forwarder { get; set; }

    public void Begin()
    {
        unsafe
        {
            _ram.AddUser();
        }
        _thread.Start();
    }

    /// <summary>Something changed that the thread must look at: an exit, a start, the end.</summary>
    public void Nudge() => _signal.Give();

    /// <summary>Level-triggered, from any thread.</summary>
    public void WantAttention(bool wanted)
    {
        _attentionWanted = wanted;
        if (wanted)
        {
            _signal.Give();
        }
    }

    private bool AttentionIsDue => _attentionOwed || ((_attentionWanted || _owed.Next(Number) is not null) && Environment.TickCount64 >= _attentionNotBefore);

    private void Loop()
    {
        try
        {
            while (!_owner.HasEnded)
            {
                if (_mailbox.Request != _seen && _mailbox.TryRead(out var exit))
                {
                    Take(exit);
                }
                else
                {
                    _signal.Wait(Idle());
                }
            }
        }
        catch (MachineStopsException e)
        {
            _owner.Fail(e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _owner.Fail($"The thread of vCPU {Number} failed: {e}");
        }
        finally
        {
            _ram.RemoveUser();
        }
    }

    /// <summary>What is to be done without an exit; the milliseconds after which to look again, −1 for never.</summary>
    private int Idle()
    {
        SettleTake();
        if (_unanswered is { } exit)
        {
            if (_powers.TakeStart(Number) is not { } start)
            {
                return Timeout.Infinite;
            }
            var registers = exit.Registers.Copy();
            registers.Enter(start);
            _owed.CoreStarts(Number);
            Publish(exit, MailboxLayout.CommandResume, loadSystem: true, registers);
            if (start.Commit != 0)
            {
                _powers.Started(Number, start.Commit);
            }
        }
        if (!_attentionWanted && _owed.Next(Number) is null)
        {
            return Timeout.Infinite;
        }
        var now = Environment.TickCount64;
        if (now < _attentionNotBefore)
        {
            return (int)(_attentionNotBefore - now);
        }
        if (!_mailbox.KickIsPending)
        {
            Kick(now);
            _door.Ring();
        }
        else if (now >= _rungAt + KickPatience)
        {
            if (now >= _kickedAt + KickRemark && !_remarked)
            {
                _remarked = true;
                _owner.Log($"vCPU {Number} has not heard its doorbell for {KickRemark} ms.");
            }
            _rungAt = now;
            _door.Ring();
        }
        return KickPatience;
    }

    private void Kick(long now)
    {
        _kickedAt = now;
        _rungAt = now;
        _remarked = false;
        _mailbox.Kick();
    }

    private void TakeBoot(MonitorExit exit)
    {
        if (_boot == 0)
        {
            Mpidr = exit.Mpidr & AffinityMask;
            Identity = _mailbox.ReadIdentity();
        }
        if (!_powers.TryBoot(Number, exit.Boot, out var all))
        {
            _owner.Fail($"vCPU {Number} reports boot {exit.Boot} in boot {_powers.Boot}.");
            return;
        }
        _boot = exit.Boot;
        _previous = null;
        _taking = null;
        _attentionOwed = false;
        _attentionNotBefore = 0;
        _owed.Forget(Number);
        if (all)
        {
            _owner.AllBooted();
        }
    }

    private void Publish(MonitorExit exit, uint command, bool loadSystem, GuestRegisters registers)
    {
        _mailbox.Prepare(command, loadSystem, registers);
        Release(exit.Request);
    }

    private void Release(uint request)
    {
        _unanswered = null;
        if (AttentionIsDue)
        {
            // The monitor looks before it returns to the guest or goes to sleep: no bell is needed.
            Kick(Environment.TickCount64);
        }
        if (_mailbox.Release(request))
        {
            _door.Ring();
        }
    }
}
