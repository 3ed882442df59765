using System.Diagnostics;

namespace Hypercalls.Cli.Running;

/// <summary>The keyboard goes to the guest, key by key; Ctrl-A x ends the run, Ctrl-A Ctrl-A types Ctrl-A.</summary>
internal sealed class RawKeyboard : IDisposable
{
    private const byte CtrlA = 1;

    private readonly string? _settings;

    private RawKeyboard(string? settings) => _settings = settings;

    /// <summary>Takes the keyboard, where there is one; else standard input as it comes.</summary>
    public static RawKeyboard Take(Action<ReadOnlyMemory<byte>> typed, Action quit)
    {
        var settings = Console.IsInputRedirected ? null : Stty("-g");
        if (settings is not null)
        {
            Stty("raw", "-echo");
        }

        new Thread(() => Read(typed, quit)) { IsBackground = true, Name = "keyboard" }.Start();
        return new(settings);
    }

    public void Dispose()
    {
        if (_settings is not null)
        {
            Stty(_settings);
        }
    }

    private static void Read(Action<ReadOnlyMemory<byte>> typed, Action quit)
    {
        using var keyboard = Console.OpenStandardInput();
        var buffer = new byte[256];
        var escaped = false;
        while (Keys(keyboard, buffer) is var count and > 0)
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

    /// <summary>0 at the end of input, and where the terminal has gone away.</summary>
    private static int Keys(Stream keyboard, byte[] buffer)
    {
        try
        {
            return keyboard.Read(buffer);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>stty works on its standard input, which is this process's.</summary>
    private static string? Stty(params string[] arguments)
    {
        try
        {
            using var stty = Process.Start(new ProcessStartInfo("stty", arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            var settings = stty?.StandardOutput.ReadToEnd().Trim();
            stty?.WaitForExit();
            return stty?.ExitCode == 0 ? settings : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
