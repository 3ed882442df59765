using FsCheck;
using FsCheck.Fluent;
using Hypercalls.Kvm.Devices;
using static Hypercalls.Kvm.Devices.Pl011Register;

namespace Hypercalls.Tests.Client.Kvm.Devices;

/// <summary>Random histories of a guest, a keyboard and resets, against a model that keeps FIFO and waiting bytes apart.</summary>
public sealed class Pl011ModelTests
{
    [Fact]
    public void Behaves_as_the_model_does() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(200),
            Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue).ArrayOf()), steps =>
            {
                var run = new ModelRun();
                foreach (var step in steps)
                {
                    run.Step(step);
                }
            }));

    private sealed class ModelRun
    {
        private readonly Pl011 _uart;
        private readonly List<byte> _sent = [];
        private readonly List<byte> _expected = [];
        private readonly Queue<byte> _fifo = [];
        private readonly Queue<byte> _waiting = [];
        private bool _line;
        private bool _isFifo;
        private int _select = 2;
        private bool _tx;
        private bool _rx;
        private bool _rt;
        private ulong _mask;
        private byte _next;

        public ModelRun() => _uart = new(bytes => _sent.AddRange(bytes), level =>
        {
            Assert.NotEqual(_line, level);
            _line = level;
        });

        public void Step(int choice)
        {
            var detail = choice / 16;
            switch (choice % 16)
            {
                case 0:
                case 1:
                case 2:
                    var typed = Enumerable.Range(0, detail % 24).Select(_ => _next++).ToArray();
                    _uart.Receive(typed);
                    Array.ForEach(typed, _waiting.Enqueue);
                    if (typed.Length != 0)
                    {
                        Fill();
                    }
                    break;
                case 3:
                case 4:
                case 5:
                case 6:
                case 7:
                    var wasEmpty = _fifo.Count == 0;
                    Assert.Equal(wasEmpty ? 0ul : _fifo.Dequeue(), _uart.Read(Dr, 1 << detail % 4));
                    if (!wasEmpty)
                    {
                        Fill();
                    }
                    break;
                case 8:
                case 9:
                    _uart.Write(Dr, 4, (ulong)detail);
                    _expected.Add((byte)detail);
                    _tx = true;
                    break;
                case 10:
                    _uart.Write(Imsc, 4, _mask = (ulong)detail & 0x7ff);
                    break;
                case 11:
                    _uart.Write(Icr, 4, (ulong)detail);
                    _tx &= (detail & 0x20) == 0;
                    _rx &= (detail & 0x10) == 0;
                    _rt &= (detail & 0x40) == 0;
                    break;
                case 12:
                    _uart.Write(Ifls, 4, (ulong)detail);
                    _select = detail >> 3 & 7;
                    Fill();
                    break;
                case 13:
                    _uart.Write(LcrH, 4, (ulong)detail);
                    _isFifo = (detail & 0x10) != 0;
                    Fill();
                    break;
                case 14 when detail % 8 == 0:
                    _uart.Reset();
                    _fifo.Clear();
                    (_isFifo, _select, _tx, _mask) = (false, 2, false, 0);
                    Fill();
                    break;
                default:
                    // Anything else changes nothing that is modelled.
                    _uart.Write((ulong)detail | 0x800, 4, ~0ul);
                    _uart.Read((ulong)detail | 0x800, 4);
                    break;
            }
            Compare();
        }

        // A FIFO that shrinks gives back, in order, what it has no room for.
        private void Fill()
        {
            var depth = _isFifo ? 16 : 1;
            var all = _fifo.Concat(_waiting).ToArray();
            _fifo.Clear();
            _waiting.Clear();
            Array.ForEach(all[..Math.Min(depth, all.Length)], _fifo.Enqueue);
            Array.ForEach(all[Math.Min(depth, all.Length)..], _waiting.Enqueue);
            int[] triggers = [2, 4, 8, 12, 14, 14, 14, 14];
            _rx = _fifo.Count >= (_isFifo ? triggers[_select] : 1);
            _rt = _fifo.Count > 0;
        }

        private void Compare()
        {
            var raw = (_rx ? 0x10ul : 0) | (_tx ? 0x20ul : 0) | (_rt ? 0x40ul : 0);
            Assert.Equal((raw, raw & _mask), (_uart.Read(Ris, 4), _uart.Read(Mis, 4)));
            Assert.Equal((raw & _mask) != 0, _line);
            var isFull = _fifo.Count == (_isFifo ? 16 : 1);
            Assert.Equal(0x87ul | (_fifo.Count == 0 ? 0x10ul : 0) | (isFull ? 0x40ul : 0), _uart.Read(Fr, 4));
            Assert.Equal(_expected, _sent);
            Assert.Equal(0, _uart.Dropped);
        }
    }
}
