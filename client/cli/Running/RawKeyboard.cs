using Microsoft.Win32.SafeHandles;

namespace Hypercalls.Cli.Running;

/// <summary>The keyboard goes to the guest, key by key; Ctrl-A x ends the run, Ctrl-A Ctrl-A types Ctrl-A.</summary>
internal sealed class RawKeyboard : IDisposable
{
    private const byte CtrlA = 1;
    private const int StandardInput = 0;

    private readonly byte[]? _settings;

    private RawKeyboard(byte[]? settings) => _settings = settings;

    /// <summary>Takes the keyboard, where there is one; else standard input as it comes.</summary>
    public static RawKeyboard Take(Action<ReadOnlyMemory<byte>> typed, Action quit)
    {
        var settings = TerminalSettings.MakeRaw();
        new Thread(() => Read(typed, quit)) { IsBackground = true, Name = "keyboard" }.Start();
        return new(settings);
    }

    public void Dispose()
    {
        if (_settings is not null)
        {
            TerminalSettings.Restore(_settings);
        }
    }

    private static void Read(Action<ReadOnlyMemory<byte>> typed, Action quit)
    {
        try
        {
            Pass(typed, quit);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No standard input, or its terminal has gone: the guest goes on without a keyboard.
        }
    }

    private static void Pass(Action<ReadOnlyMemory<byte>> typed, Action quit)
    {
        // Not the console's own stream: that one reads whole lines of a terminal, and sets it up for them.
        using var keyboard = new FileStream(new SafeFileHandle(StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        var buffer = new byte[256];
        var escaped = false;
        while (keyboard.Read(buffer) is var count and > 0)
        {
            var kept = 0;
            for (var i = 0; i < count; i++)
            {
                if (escaped && buffer[i] is (byte)'x' or (byte)'X')
                {
                    quit();
                    return;
                }

                if (!escaped && buffer[i] == CtrlA)
                {
                    escaped = true;
                    continue;
                }

                escaped = false;
                buffer[kept++] = buffer[i];
            }

            typed(buffer.AsMemory(0, kept));
        }
    }
}
