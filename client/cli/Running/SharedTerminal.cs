using System.Text;

namespace Hypercalls.Cli.Running;

/// <summary>One terminal for the guest's console and for lines about its calls: a line is put between lines of the guest, never into one.</summary>
internal sealed class SharedTerminal : Stream
{
    /// <summary>A guest that leaves a line open this long, as a prompt does, is interrupted.</summary>
    private static readonly TimeSpan OpenLine = TimeSpan.FromMilliseconds(250);

    private readonly Stream _output;
    private readonly bool _isRedirected;
    private readonly Lock _lock = new();
    private readonly List<string> _waiting = [];
    private readonly Timer _timer;
    private bool _atLineStart = true;
    private bool _isOver;

    /// <summary>On standard output.</summary>
    public SharedTerminal()
        : this(Console.OpenStandardOutput(), Console.IsOutputRedirected)
    {
    }

    internal SharedTerminal(Stream output, bool isRedirected)
    {
        (_output, _isRedirected) = (output, isRedirected);
        _timer = new(_ => ShowWaiting());
    }

    /// <summary>On standard error, where standard output is for a program.</summary>
    public static SharedTerminal OnErrors() => new(Console.OpenStandardError(), Console.IsErrorRedirected);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>A line of our own.</summary>
    public void WriteLine(string line)
    {
        lock (_lock)
        {
            _waiting.Add(line);
            if (_atLineStart || _isOver)
            {
                Flush(_waiting);
            }
            else
            {
                _timer.Change(OpenLine, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>What the guest prints.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (_lock)
        {
            while (!buffer.IsEmpty)
            {
                var line = buffer.IndexOf((byte)'\n') is var end and >= 0 ? buffer[..(end + 1)] : buffer;
                _output.Write(line);
                _atLineStart = line[^1] == '\n';
                buffer = buffer[line.Length..];
                if (_atLineStart)
                {
                    Flush(_waiting);
                }
            }
        }
    }

    public override void Flush() => _output.Flush();

    /// <summary>Shows every line that still waits.</summary>
    public void ShowAll()
    {
        lock (_lock)
        {
            if (_waiting.Count > 0 && !_atLineStart)
            {
                _output.Write("\r\n"u8);
                _atLineStart = true;
            }

            Flush(_waiting);
            _output.Flush();
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            lock (_lock)
            {
                // Threads of the machine may have a word to say yet.
                _isOver = true;
                _timer.Dispose();
            }

            ShowAll();
        }

        base.Dispose(disposing);
    }

    /// <summary>On a thread of the timer, where an exception would end the process.</summary>
    private void ShowWaiting()
    {
        try
        {
            ShowAll();
        }
        catch (IOException)
        {
            // Nobody reads any longer: whoever copies the guest's console notices too, and ends the run.
        }
    }

    private void Flush(List<string> lines)
    {
        foreach (var line in lines)
        {
            // A raw terminal does not return the carriage by itself.
            _output.Write(Encoding.UTF8.GetBytes(line + (_isRedirected ? "\n" : "\r\n")));
        }

        lines.Clear();
    }
}
