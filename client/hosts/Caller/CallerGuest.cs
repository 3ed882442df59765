using Hypercalls.Protos;

namespace Hypercalls.Hosts.Caller;

/// <summary>A bare guest that makes the calls it is given, one after another, on its boot core. It needs no service: where it ends, this host sees it and stops the machine.</summary>
public sealed class CallerGuest : IDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_sleepsForGood = TimeSpan.FromSeconds(1);

    private readonly Action<CallerResult> _returned;
    private readonly Output _output;
    private readonly Timer _timer;
    private readonly Lock _lock = new();

    // For as long as it runs: whoever takes the run over reads it again.
    private readonly string _kernel = Path.GetTempFileName();
    private IReadOnlyList<CallerCall> _calls = [];
    private CallerConsole? _console;
    private IGuestMachine? _machine;
    private int _looksAsleep;

    /// <summary>A guest without calls as yet.</summary>
    /// <param name="returned">Told of each call that returned, in order, on a thread of the machine.</param>
    public CallerGuest(Action<CallerResult> returned)
    {
        _returned = returned;
        _output = new(this);
        _timer = new(_ => Look());
    }

    /// <summary>Why it makes no more calls; null while it does, and where the machine ended for another reason.</summary>
    public CallerEnd? End { get; private set; }

    /// <summary>Makes its machine; the kernel of the options and all that belongs to it is this guest's.</summary>
    /// <exception cref="HostException">As the machine's own start.</exception>
    public IGuestMachine Start(HostOptions options, Func<HostOptions, IGuestMachine> start)
    {
        File.WriteAllBytes(_kernel, Image());
        return _machine = start(options with { Kernel = _kernel, KernelIsRaw = true, KernelIsAArch32 = false, KernelAppendix = Table, Console = _output });
    }

    /// <summary>Gives it its calls: before the machine runs.</summary>
    public void Give(IReadOnlyList<CallerCall> calls) => _calls = calls;

    public void Dispose()
    {
        _timer.Dispose();
        _output.Dispose();
        File.Delete(_kernel);
    }

    /// <summary>The file as it is checked in.</summary>
    internal static byte[] Image()
    {
        using var resource = typeof(CallerGuest).Assembly.GetManifestResourceStream("caller.bin")!;
        var image = new byte[resource.Length];
        resource.ReadExactly(image);
        return image;
    }

    /// <summary>Asked for at each boot. After the first one a call has reset the machine: they are not made again.</summary>
    private ReadOnlyMemory<byte> Table(ulong address)
    {
        lock (_lock)
        {
            if (_console is not null)
            {
                EndAs(new CallerEnd.Reset());
                return new CallTable([], address).Bytes;
            }
            var table = new CallTable(_calls, address);
            _console = new(table, Returned, EndAs);
            _timer.Change(s_look, s_look);
            return table.Bytes;
        }
    }

    private void Say(ReadOnlySpan<byte> said)
    {
        lock (_lock)
        {
            // What was said before its core went off may come after it is seen to be off.
            _console?.Take(said);
        }
    }

    private void Returned(CallerResult result)
    {
        _looksAsleep = 0;
        _returned(result);
    }

    private void EndAs(CallerEnd end)
    {
        End ??= end;
        _machine!.Stop();
    }

    /// <summary>A core that is off or asleep says nothing any more.</summary>
    private void Look()
    {
        lock (_lock)
        {
            // Before its first word its core may not have been started yet.
            if (End is not null || _console is not { HasBegun: true })
            {
                return;
            }
            switch (_machine!.Now().Cores[0].Power)
            {
                case CorePower.Off:
                    EndAs(new CallerEnd.CoreOff());
                    break;
                case CorePower.Suspended when ++_looksAsleep * s_look >= s_sleepsForGood:
                    EndAs(new CallerEnd.CoreSuspended());
                    break;
                case CorePower.On:
                    _looksAsleep = 0;
                    break;
            }
        }
    }

    /// <summary>The machine's console.</summary>
    private sealed class Output(CallerGuest guest) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer) => guest.Say(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
