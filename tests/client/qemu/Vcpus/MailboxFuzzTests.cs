using System.Net.Sockets;
using Hypercalls.Hosts.Vcpus;
using Hypercalls.Qemu;
using Hypercalls.Qemu.Monitor;
using Hypercalls.Qemu.Process;
using Hypercalls.Qemu.Vcpus;
using Hypercalls.Tests.Faults;
using Hypercalls.Tests.Psci;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Client.Qemu.Vcpus;

/// <summary>
/// The threads of the QEMU host against a guest that writes whatever it likes into the mailboxes, and a daemon that answers whatever it likes: the host stays whole. It may end
/// the machine with a report; it writes nowhere but into its mailboxes and where an answer says, and a mailbox that is left alone costs it nothing.
/// </summary>
[Collection(Fuzzing.Collection)]
public sealed partial class MailboxFuzzTests(ITestOutputHelper output)
{
    private const int Vcpus = 3;
    private const ulong RamSize = 16 << 20;

    private static readonly int[] s_words =
    [
        MailboxLayout.Req, MailboxLayout.Rsp, MailboxLayout.Kick, MailboxLayout.Wake, MailboxLayout.Sleep, MailboxLayout.Reason, MailboxLayout.Boot, MailboxLayout.Cause, MailboxLayout.Owed, MailboxLayout.Ended, MailboxLayout.TakeOutcome,
        MailboxLayout.Sequence, MailboxLayout.Esr, MailboxLayout.Esr + 4, MailboxLayout.Far, MailboxLayout.Detail, MailboxLayout.Detail + 4, MailboxLayout.Mpidr, MailboxLayout.Mpidr + 4,
        MailboxLayout.Command, MailboxLayout.LoadSystem, MailboxLayout.ExitFrame + MailboxLayout.FramePstate, MailboxLayout.ExitFrame + MailboxLayout.FramePc,
        MailboxLayout.ExitFrame, MailboxLayout.AnswerFrame, MailboxLayout.Identity,
    ];

    [Fact]
    public void Whatever_stands_in_the_mailboxes_the_host_stays_whole()
    {
        var fuzzing = Fuzzing.Begin(output, 18);
        foreach (var (input, why) in Corpus.Of("mailbox-seeds"))
        {
            Run(BitConverter.ToUInt64([.. input.Reverse()]), why);
        }

        var reports = new SortedDictionary<string, int>();
        var (runs, exits) = (0, 0L);
        for (; fuzzing.GoesOn; runs++)
        {
            var owner = Run(fuzzing.Seed + (ulong)runs, $"Seed {fuzzing.Seed + (ulong)runs}");
            exits += owner.Exits;
            var kind = owner.Report is { } report ? string.Concat(report.Where(letter => !char.IsAsciiHexDigit(letter) || char.IsAsciiLetterLower(letter))).Split(':')[0] : "none";
            reports[kind] = reports.GetValueOrDefault(kind) + 1;
        }

        output.WriteLine($"{runs} runs, {exits} exits forwarded; reports: {string.Join("; ", reports.Select(report => $"{report.Value} × {report.Key}"))}");
        Assert.True(exits > 0);
    }

    private static Owner Run(ulong seed, string when)
    {
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-");
        try
        {
            using var run = new MailboxRun(Path.Combine(folder.FullName, "ram"), seed);
            run.Play();
            run.Check(when);
            return run.Owner;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>One machine from its first boot to its end.</summary>
    private sealed class MailboxRun : IDisposable
    {
        private readonly Dice _dice;
        private readonly GuestRam _ram;
        private readonly Door _door;
        private readonly Socket _monitor;
        private readonly CorePowers _powers;
        private readonly Vcpu[] _vcpus;
        private readonly uint[] _request = new uint[Vcpus];
        private uint _boot;

        public MailboxRun(string path, ulong seed)
        {
            _dice = new(seed);
            _ram = GuestRam.Create(path, RamSize);
            var records = new MachineRecords(_ram, Vcpus);
            _powers = new(Vcpus, "QEMU", records);
            (_monitor, var host) = Pair(path + ".door");
            _door = new(host);
            Owner = new(seed, _ram);
            var owed = new OwedInterrupts([.. records.Vcpus.Select(vcpu => vcpu.Owed)], _powers, number => _vcpus![number].Nudge());
            _vcpus = [.. Enumerable.Range(0, Vcpus).Select(number => new Vcpu(number, Owner, new(), _ram, records.Vcpus[number], _door, _powers, owed) { Forwarder = Owner })];
            Owner.Vcpus = _vcpus;
            new Thread(() => _door.Listen(number => _vcpus.ElementAtOrDefault(number)?.Nudge())) { IsBackground = true, Name = "door" }.Start();
            new Thread(Drain) { IsBackground = true, Name = "monitor's door" }.Start();
            _ram.SetVcpus(Vcpus);
            Mark(_ram.Slice(_ram.MailboxArea + MailboxLayout.Stub, MailboxLayout.Pages - MailboxLayout.Stub));
            Mark(_ram.Slice(_ram.MailboxArea + MailboxLayout.Pages + (Vcpus * MailboxLayout.PageSize), 64 << 10));
        }

        public Owner Owner { get; }

        public void Play()
        {
            Owner.AllBootedMeans = () =>
            {
                if (_powers.TryStartBootCore(new(0x4008_0000, 0, default, 0)))
                {
                    _vcpus[0].Nudge();
                }
            };
            foreach (var vcpu in _vcpus)
            {
                vcpu.Begin();
            }

            if (!_dice.OneIn(10))
            {
                Reset();
            }

            var steps = 20 + _dice.Below(300);
            // Some runs keep to the rules for long, so that the host gets far.
            var evil = _dice.OneOf(3, 20, 100, 1000);
            for (var step = 0; step < steps && !Owner.HasEnded; step++)
            {
                if (_dice.OneIn(evil))
                {
                    Scribble(_dice.Below(Vcpus));
                }
                else
                {
                    Behave(_dice.Below(Vcpus));
                }

                if (_dice.OneIn(4))
                {
                    Thread.Yield();
                }
            }
        }

        public void Check(string when)
        {
            // Nobody writes now: whatever stands there, the threads come to rest.
            Assert.True(Owner.Rests(), $"{when}: a thread runs on though nothing happens: {Owner.Looks} looks");
            Assert.True(Owner.Report is null || !Owner.Report.Contains("The thread of vCPU", StringComparison.Ordinal), $"{when}: {Owner.Report}");
            Owner.End();
            foreach (var vcpu in _vcpus)
            {
                vcpu.Nudge();
            }

            Assert.True(Owner.HaveSeenTheEnd(Vcpus), $"{when}: a vCPU's thread does not end");
            Assert.True(IsMarked(_ram.Slice(_ram.MailboxArea + MailboxLayout.Stub, MailboxLayout.Pages - MailboxLayout.Stub)), $"{when}: the host has written into the monitor's code");
            Assert.True(IsMarked(_ram.Slice(_ram.MailboxArea + MailboxLayout.Pages + (Vcpus * MailboxLayout.PageSize), 64 << 10)), $"{when}: the host has written behind the mailboxes");
            Assert.True(Owner.RamIsAsAnswered(), $"{when}: the host has written into the guest's memory where no answer told it to");
        }

        public void Dispose()
        {
            Owner.End();
            _door.Dispose();
            _monitor.Dispose();
            _ram.Dispose();
        }

        /// <summary>As the monitor does after a reset: every core reports its boot.</summary>
        private void Reset()
        {
            _boot++;
            for (var number = 0; number < Vcpus; number++)
            {
                Publish(number, MailboxLayout.ReasonBoot, 0, 0);
            }
        }

        /// <summary>An exit as the monitor makes it, or a reset where one was asked for.</summary>
        private void Behave(int number)
        {
            if (Word(number, MailboxLayout.Rsp) == _request[number] && Word(number, MailboxLayout.Command) == MailboxLayout.CommandReset)
            {
                Reset();
                return;
            }

            var (reason, esr, cause) = _dice.Below(8) switch
            {
                0 => (MailboxLayout.ReasonKick, 0u, 0u),
                1 => (MailboxLayout.ReasonWake, 0u, _dice.OneOf(1u, 2u)),
                2 => (MailboxLayout.ReasonEl2, 0x5a00_0000u, 0u), // HVC
                3 => (MailboxLayout.ReasonEl3, 0x4e08_0000u | (uint)_dice.Below(1 << 25), 0u), // SMC of AArch32
                4 when _dice.OneIn(20) => (MailboxLayout.ReasonBoot, 0u, 0u),
                5 when _dice.OneIn(50) => (MailboxLayout.ReasonBug, 0u, 0u),
                6 => (MailboxLayout.ReasonInterrupt, 0u, _dice.OneIn(50) ? (uint)_dice.Next() : _dice.OneOf(27u, 30u, 33u, 287u)),
                _ => (MailboxLayout.ReasonEl3, 0x5e00_0000u | (uint)_dice.Below(3), 0u), // SMC
            };
            // It waits for the answer before, as a guest does.
            for (var patience = 0; patience < 100 && Word(number, MailboxLayout.Rsp) != _request[number] && !Owner.HasEnded; patience++)
            {
                Thread.Yield();
            }

            if (Word(number, MailboxLayout.Rsp) != _request[number] && !_dice.OneIn(20))
            {
                // It is off, or its answer is on its way.
                return;
            }

            Publish(number, (uint)reason, esr, cause);
        }

        private void Publish(int number, uint reason, uint esr, uint cause)
        {
            var request = _request[number] = Word(number, MailboxLayout.Req) + 1;
            Word(number, MailboxLayout.Sequence) = request;
            Word(number, MailboxLayout.Reason) = reason;
            Word(number, MailboxLayout.Boot) = _boot;
            Word(number, MailboxLayout.Cause) = cause;
            Word(number, MailboxLayout.Esr) = esr;
            Word(number, MailboxLayout.Mpidr) = 0x8000_0000 | (uint)number;
            Word(number, MailboxLayout.ExitFrame) = _dice.OneOf(0x8400_0000, 0xC400_0003, 0x8400_0002, (uint)_dice.Next());
            Word(number, MailboxLayout.ExitFrame + MailboxLayout.FramePstate) = 0x3c5;
            Word(number, MailboxLayout.Sleep) = (uint)_dice.Below(2);
            Volatile.Write(ref Word(number, MailboxLayout.Req), request);
            Knock((byte)number);
        }

        private void Scribble(int number)
        {
            for (var words = 1 + _dice.Below(8); words > 0; words--)
            {
                var offset = _dice.OneIn(4) ? _dice.Below(MailboxLayout.PageSize / 4) * 4 : s_words[_dice.Below(s_words.Length)];
                Volatile.Write(ref Word(number, offset), _dice.Below(5) switch
                {
                    0 => (uint)_dice.Next(),
                    1 => _dice.OneOf(0u, 1u, 0x7fff_ffffu, 0x8000_0000u, 0xffff_ffffu, 0xffff_fffeu),
                    2 => Word(number, offset) + 1,
                    3 => 1u << _dice.Below(32),
                    _ => (uint)_dice.Below(8),
                });
            }

            if (_dice.OneIn(3))
            {
                // What it has written is an exit after all.
                Word(number, MailboxLayout.Sequence) = Word(number, MailboxLayout.Req);
            }

            Knock(_dice.OneIn(4) ? (byte)_dice.Next() : (byte)number);
            if (_dice.OneIn(6))
            {
                _vcpus[number].WantAttention(_dice.OneIn(2));
            }

            if (_dice.OneIn(6))
            {
                _ = _vcpus[number].Supply(Owner.Need(number));
            }
        }

        private void Knock(byte number)
        {
            try
            {
                _monitor.Send([number]);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The run is over.
            }
        }

        private void Drain()
        {
            try
            {
                var bytes = new byte[256];
                while (_monitor.Receive(bytes) > 0)
                {
                    // A monitor that never sleeps needs no bell.
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The run is over.
            }
        }

        private ref uint Word(int number, int offset) =>
            ref System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(
                _ram.Slice(_ram.MailboxArea + (ulong)(MailboxLayout.Pages + (number * MailboxLayout.PageSize) + offset), sizeof(uint)))[0];

        private static (Socket Monitor, Socket Host) Pair(string path)
        {
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen();
            var monitor = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            monitor.Connect(new UnixDomainSocketEndPoint(path));
            return (monitor, listener.Accept());
        }

        private static void Mark(Span<byte> bytes) => bytes.Fill(0xa5);

        private static bool IsMarked(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0xa5);
    }
}
