using System.Collections.Concurrent;
using FsCheck;
using FsCheck.Fluent;
using Hypercalls.Hosts;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Kvm.Fakes;
using Xunit.Abstractions;
using static Hypercalls.Tests.Client.Kvm.Fakes.FakeHost;
using Outcome = Hypercalls.Protos.Outcome;

namespace Hypercalls.Tests.Client.Kvm;

/// <summary>Guests that do anything, a daemon that answers anything, attention, wake-ups and resets at any time.</summary>
public sealed class KvmMachinePropertyTests(ITestOutputHelper output)
{
    private const ulong NotSupported = ulong.MaxValue;

    [Fact]
    public void Every_call_is_forwarded_once_and_the_machine_ends()
    {
        var seen = new Dictionary<string, int>();
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(150),
            Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
            {
                output.WriteLine($"Seed {seed}");
                var run = new OneRun(seed);
                using (run)
                {
                    run.Run();
                }
                run.Verify(seen);
            }));
        output.WriteLine(string.Join(", ", seen));
        // What is to hold has been put to the test.
        Assert.All(["Hypercall Applied", "Hypercall FellBack", "Attention Applied", "Wake Applied", "boots"], what => Assert.InRange(seen.GetValueOrDefault(what), 20, int.MaxValue));
    }

    /// <summary>What one vCPU did and was told in one boot.</summary>
    private sealed class History
    {
        /// <summary>By the number of the call, which is in its x1: the x0 that the guest must see.</summary>
        public ConcurrentDictionary<ulong, ulong> Expected { get; } = [];

        public ConcurrentQueue<ulong> Called { get; } = [];

        public List<(Exit Exit, Outcome Outcome)> Exits { get; } = [];
    }

    private sealed class OneRun : IDisposable
    {
        private readonly int _seed;
        private readonly ConcurrentDictionary<(int Boot, ulong Core), History> _histories = [];
        private readonly ConcurrentQueue<string> _faults = [];
        private readonly int _cores;
        private readonly FakeHost _host;
        private int _resets;

        public OneRun(int seed)
        {
            (_seed, _cores) = (seed, 1 + (seed % 4));
            _host = new(Guest, _cores) { Respond = Respond };
        }

        public void Run()
        {
            var end = _host.Begin();
            Disturb(end);
            _host.Machine.Stop();
            Assert.True(end.Wait(TimeSpan.FromSeconds(60)), $"Seed {_seed}: it does not end.");
            Assert.True(end.Result is MachineEnd.Stopped or MachineEnd.PoweredOff, $"Seed {_seed}: {end.Result}");
        }

        /// <summary>Nothing left, no rule broken.</summary>
        public void Dispose() => _host.Dispose();

        public void Verify(Dictionary<string, int> seen)
        {
            Assert.Empty(_faults);
            seen["boots"] = seen.GetValueOrDefault("boots") + _host.Kvm.Vms.Count - 1;
            foreach (var (exit, outcome) in _histories.Values.SelectMany(history => history.Exits))
            {
                var what = $"{exit.KindCase} {outcome}";
                seen[what] = seen.GetValueOrDefault(what) + 1;
            }
            foreach (var ((boot, core), history) in _histories)
            {
                Verify(boot, core, history);
            }
        }

        private void Verify(int boot, ulong core, History history)
        {
            // Every call that came out of KVM_RUN, in its order; the end of a boot overtakes at most the last.
            var vcpu = _host.Kvm.Vms[boot - 1].Vcpus[(int)core];
            var told = history.Exits.Where(exit => exit.Exit.Hypercall is not null).Select(exit => exit.Exit.Hypercall.X1).ToArray();
            Assert.Equal(history.Called.Take(told.Length), told);
            Assert.InRange(vcpu.Forwarded.Count - told.Length, 0, 1);
            Previous? expected = null;
            foreach (var ((exit, outcome), n) in history.Exits.Select((exit, n) => (exit, n)))
            {
                Assert.Equal(((ulong)boot << 32 | (uint)(n + 1), (ulong)boot), (exit.ExitId, exit.Boot));
                Assert.Equal(expected, exit.Previous);
                var lastApplied = expected?.LastApplied ?? 0;
                expected = new() { ExitId = exit.ExitId, Outcome = outcome, LastApplied = outcome == Outcome.Applied ? exit.ExitId : lastApplied };
            }
        }

        // Attention and pending interrupts, on a thread that is no vCPU's.
        private void Disturb(Task end)
        {
            var random = new Random(_seed);
            for (var n = 0; n < 60 && !end.IsCompleted; n++)
            {
                var core = (ulong)random.Next(_cores);
                switch (random.Next(4))
                {
                    case 0: _host.Machine.AttentionWanted(core, true); break;
                    case 1: _host.Machine.AttentionWanted(core, false); break;
                    case 2: _host.Machine.WriteConsole("x"u8); break;
                    default: Wake((int)core); break;
                }
                if (random.Next(3) == 0)
                {
                    end.Wait(1);
                }
            }
        }

        // The same in every process, for one seed.
        private Random Dice(params ReadOnlySpan<uint> of)
        {
            var mixed = (uint)_seed;
            foreach (var part in of)
            {
                mixed = (mixed ^ part) * 0x9e37_79b1;
            }
            return new((int)(mixed >> 1));
        }

        private void Wake(int core)
        {
            if (_host.Kvm.Vms is [.., var vm] && vm.Vcpus.Count > core)
            {
                vm.Vcpus[core].Wake();
            }
        }

        private IEnumerable<FakeStep> Guest(FakeVcpu cpu)
        {
            var history = _histories.GetOrAdd((cpu.Boot, (ulong)cpu.Number), _ => new());
            var random = Dice((uint)cpu.Boot, (uint)cpu.Number, (uint)cpu.Inits);
            while (true)
            {
                switch (random.Next(8))
                {
                    case 0:
                        yield return FakeStep.Write(0x0900_0000, 1, 'x');
                        break;
                    case 1:
                        yield return FakeStep.Read(0x0900_0018, 4, register: 20);
                        if (cpu.X(20) >> 8 != 0)
                        {
                            _faults.Enqueue($"Seed {_seed}: a read found 0x{cpu.X(20):x}");
                        }
                        break;
                    case 2:
                        var until = Environment.TickCount64 + 1;
                        yield return FakeStep.SpinUntil(() => Environment.TickCount64 > until);
                        break;
                    default:
                        var number = ((ulong)cpu.Inits << 32) + (ulong)history.Called.Count + 1;
                        history.Called.Enqueue(number);
                        cpu.With(Vendor, number, (ulong)random.Next(3), 0);
                        yield return random.Next(2) == 0 ? FakeStep.Smc() : FakeStep.Hvc((ushort)random.Next(3));
                        if (history.Expected.TryGetValue(number, out var x0) && cpu.X0 != x0)
                        {
                            _faults.Enqueue($"Seed {_seed}: call {number} of core {cpu.Number} in boot {cpu.Boot} got 0x{cpu.X0:x}, not 0x{x0:x}");
                        }
                        break;
                }
            }
        }

        private Answer? Respond(ulong core, Exit exit)
        {
            var history = _histories.GetOrAdd(((int)exit.Boot, core), _ => new());
            var random = Dice((uint)exit.Boot, (uint)core, (uint)exit.ExitId + 1000);
            if (Thread.CurrentThread.Name != $"vCPU {core}")
            {
                _faults.Enqueue($"Seed {_seed}: an exit of core {core} comes on {Thread.CurrentThread.Name}");
            }
            var answer = exit.Hypercall is { } call ? Call(core, call, history, random) : Other(core, random);
            var isRefused = answer is { ResultsCase: Answer.ResultsOneofCase.None } && exit.Hypercall is not null;
            history.Exits.Add((exit.Clone(), answer is null || isRefused ? Outcome.FellBack : Outcome.Applied));
            return answer;
        }

        private Answer? Call(ulong core, HypercallExit call, History history, Random random)
        {
            var x0 = (ulong)random.Next(1, 1000);
            Answer? answer = Values(x0, call.X1, 0, 0);
            switch (random.Next(14))
            {
                case 0:
                    answer = null;
                    x0 = NotSupported;
                    break;
                case 1:
                    // Refused: it says nothing of results.
                    answer = new();
                    x0 = NotSupported;
                    break;
                case 2:
                    answer = new() { Masked = new() { Mask = 1 << 17, Values = { 5 } } };
                    x0 = Vendor;
                    break;
                case 3 or 4:
                    var target = (ulong)random.Next(_cores);
                    // What becomes of it, the host says.
                    answer.PowerOn = new() { Core = target, EntryPoint = Kernel, ContextId = 9, IfRefused = x0 };
                    break;
                case 5:
                    answer.PowerOff = core == 0 ? null : new();
                    break;
                case 6:
                    answer.Suspend = new();
                    break;
                case 7:
                    answer.AttendBeforeResume = true;
                    break;
                case 8:
                    answer.Load = new() { Registers = { new Register { Index = 9, Value = 3 } }, Pc = Kernel + 0x100 };
                    break;
                case 9 when random.Next(6) == 0 && Interlocked.Increment(ref _resets) < 4:
                    answer.SystemEvent = new() { Type = SystemEventType.Reset, ClearMemory = random.Next(2) == 0 };
                    break;
                case 10 when random.Next(40) == 0:
                    answer.SystemEvent = new() { Type = SystemEventType.Shutdown };
                    break;
            }
            history.Expected[call.X1] = x0;
            return answer;
        }

        private Answer? Other(ulong core, Random random)
        {
            switch (random.Next(5))
            {
                case 0:
                    return null;
                case 1:
                    return None(answer => answer.Load = new() { Pc = Kernel + 0x200 });
                case 2:
                    return None(answer => answer.PowerOn = new() { Core = (ulong)random.Next(_cores), EntryPoint = Kernel, IfRefused = 66 });
                default:
                    _host.Machine.AttentionWanted(core, false);
                    return None();
            }
        }
    }
}
