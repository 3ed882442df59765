using System.Diagnostics;
using Hypercalls.Client;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Protos;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Vcpus;
using Hypercalls.Tests.Faults;
using Hypercalls.Tests.Psci;

namespace Hypercalls.Tests.Client.Qemu.Vcpus;

/// <summary>The machine and the daemon of the host's threads.</summary>
public sealed partial class MailboxFuzzTests
{
    /// <summary>The machine, and a daemon that answers whatever it likes.</summary>
    private sealed class Owner(ulong seed, GuestRam ram) : IVcpuOwner, IExitForwarder
    {
        private readonly Lock _gate = new();
        private readonly Dice _dice = new(seed + 77);
        private readonly List<(int Begin, int End)> _answered = [];
        private readonly HashSet<int> _haveSeenTheEnd = [];
        private volatile bool _hasEnded;
        private long _looks;

        public Vcpu[] Vcpus { get; set; } = [];

        public Action AllBootedMeans { get; set; } = () => { };

        public long Exits { get; private set; }

        public string? Report { get; private set; }

        public long Looks => Interlocked.Read(ref _looks);

        public bool HasEnded
        {
            get
            {
                if (Thread.CurrentThread.Name?.StartsWith("vCPU", StringComparison.Ordinal) != true)
                {
                    return _hasEnded;
                }

                Interlocked.Increment(ref _looks);
                if (_hasEnded)
                {
                    lock (_haveSeenTheEnd)
                    {
                        _haveSeenTheEnd.Add(Environment.CurrentManagedThreadId);
                    }
                }

                return _hasEnded;
            }
        }

        public void End() => _hasEnded = true;

        /// <summary>A thread looks whether the machine has ended each time around; a kick that is not heard makes it look again every 20 ms.</summary>
        public bool Rests()
        {
            var began = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
            {
                var before = Looks;
                Thread.Sleep(10);
                if (Looks - before < 30)
                {
                    return true;
                }
            }

            return false;
        }

        public bool HaveSeenTheEnd(int threads)
        {
            var began = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30))
            {
                lock (_haveSeenTheEnd)
                {
                    if (_haveSeenTheEnd.Count == threads)
                    {
                        return true;
                    }
                }

                Thread.Sleep(1);
            }

            return false;
        }

        /// <summary>It was all zero, and is so still but for what answers wrote.</summary>
        public bool RamIsAsAnswered()
        {
            var memory = ram.Slice(GuestRam.Base, (int)(ram.MailboxArea - GuestRam.Base));
            var checkedTo = 0;
            foreach (var (begin, end) in _answered.Order())
            {
                if (begin > checkedTo && memory[checkedTo..begin].ContainsAnyExcept((byte)0))
                {
                    return false;
                }

                checkedTo = Math.Max(checkedTo, end);
            }

            return !memory[checkedTo..].ContainsAnyExcept((byte)0);
        }

        public Need Need(int number)
        {
            lock (_gate)
            {
                var need = new RandomMessages(_dice).Of<Need>();
                need.ExitId = _dice.OneIn(2) ? need.ExitId : ((ulong)_dice.Below(3) << 32) | (uint)(number + _dice.Below(20));
                return need;
            }
        }

        public Answer? Forward(Exit exit)
        {
            lock (_gate)
            {
                Exits++;
                if (_dice.OneIn(10))
                {
                    return null;
                }

                var messages = new RandomMessages(_dice);
                var answer = _dice.OneIn(3) ? messages.Of<Answer>() : Right();
                answer = _dice.OneIn(3) ? messages.Mutate(answer) : answer;
                if (!_dice.OneIn(10))
                {
                    (answer.ExitId, answer.Boot) = (exit.ExitId, exit.Boot);
                }

                if (AnswerRules.Allow(answer, exit, new(), ram, OfferedInterrupts.Ranges, out _))
                {
                    foreach (var block in answer.MemoryWrites)
                    {
                        var begin = (int)(block.Base - GuestRam.Base);
                        _answered.Add((begin, begin + block.Data.Length));
                    }
                }

                return answer;
            }
        }

        public uint Uses(Conduit conduit, uint imm, uint w0) => w0 == 0xC400_0003 ? uint.MaxValue : 0;

        public Vcpu? Find(ulong mpidr) => Array.Find(Vcpus, vcpu => vcpu.Mpidr == mpidr);

        public void AllBooted() => AllBootedMeans();

        public void PoweringOff()
        {
        }

        public void Resetting(bool clearMemory)
        {
        }

        public void Fail(string report)
        {
            Report ??= report;
            _hasEnded = true;
            foreach (var vcpu in Vcpus)
            {
                vcpu.Nudge();
            }
        }

        public void Log(string remark)
        {
        }

        private Answer Right()
        {
            var answer = new Answer { Values = new() { X0 = _dice.Next() }, Commit = 1, AttendBeforeResume = _dice.OneIn(8) };
            switch (_dice.Below(8))
            {
                case 0:
                    answer.PowerOn = new() { Core = (ulong)_dice.Below(4), EntryPoint = 0x4008_0000 };
                    break;
                case 1:
                    answer.PowerOff = new();
                    break;
                case 2:
                    answer.Suspend = new() { PowerDown = _dice.OneIn(2) ? new() { EntryPoint = 0x4008_0000 } : null };
                    break;
                case 3:
                    answer.Load = new() { Registers = { new Register { Index = (uint)_dice.Below(31), Value = 1 } }, Pstate = 0x3c5, System = { new SystemRegisterValue { Register = SystemRegister.SpEl1 } } };
                    break;
                case 4:
                    answer.MemoryWrites.Add(new MemoryBlock { Base = GuestRam.Base + (ulong)_dice.Below(1 << 20), Data = Google.Protobuf.ByteString.CopyFrom(1, 2, 3) });
                    break;
                case 5 when _dice.OneIn(8):
                    answer.SystemEvent = new() { Type = SystemEventType.Reset, ClearMemory = _dice.OneIn(2) };
                    break;
            }

            return answer;
        }
    }
}
