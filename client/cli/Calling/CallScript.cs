using System.Globalization;
using System.Text;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>
/// Calls as people write them: <c>hvc#1 CPU_ON 1 0x4000_0000 -1; WRITE [16]; PUTS 'text' # remark</c>. Between calls stands ; or the end of a line.
/// </summary>
internal sealed class CallScript
{
    private const int MostArguments = 17;
    private const int LongestBuffer = 1 << 16;
    private const string Blank = " \t\r";
    private const string EndsWord = " \t\r\n;";

    private readonly string _text;
    private int _at;
    private int _calls;

    private CallScript(string text) => _text = text;

    /// <summary>The calls in their order.</summary>
    /// <exception cref="CliException">One is none: with its place.</exception>
    public static IReadOnlyList<ScriptedCall> Parse(string text) => new CallScript(text).Calls();

    /// <summary>The text itself; with @file that of the file, with - that of standard input.</summary>
    /// <exception cref="CliException">The file cannot be read.</exception>
    public static string Read(string calls)
    {
        try
        {
            return calls == "-" ? Console.In.ReadToEnd() : calls.StartsWith('@') ? File.ReadAllText(calls[1..]) : calls;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CliException($"--calls {calls}: {e.Message}", ExitCode.BadInput);
        }
    }

    private List<ScriptedCall> Calls()
    {
        var calls = new List<ScriptedCall>();
        while (SkipTo())
        {
            calls.Add(Call());
        }

        return calls.Count > 0 ? calls : throw new CliException("--calls: there is no call in it. Give some, such as \"PSCI_VERSION; 0xC2000001 1 2\".", ExitCode.BadInput);
    }

    private ScriptedCall Call()
    {
        _calls++;
        var (start, where) = (_at, Where(_at));
        var word = Word();
        var (conduit, immediate) = Instruction(word, start);
        var prefix = "";
        if (conduit != Conduit.Unspecified)
        {
            prefix = word + " ";
            word = SkipBlanks() ? Word() : throw Fault(_at, $"behind {word} stands the call: an ID or a name. An immediate is written without a blank: smc#1.");
        }

        if (word.IndexOfAny(['\'', '[', '#']) >= 0)
        {
            throw Fault(_at - word.Length, $"{word} is no function: give an ID or a name.");
        }

        var arguments = new List<ScriptedArgument>();
        while (SkipBlanks())
        {
            if (arguments.Count == MostArguments)
            {
                throw Fault(_at, $"a call takes {MostArguments} arguments, x1 to x{MostArguments}.");
            }

            arguments.Add(Argument());
        }

        return new(where, prefix, conduit, immediate, word, arguments);
    }

    /// <summary>smc, hvc, smc#1, hvc#0x10; unspecified for anything else.</summary>
    private (Conduit Conduit, ushort Immediate) Instruction(string word, int at)
    {
        var parts = word.Split('#', 2);
        var conduit = parts[0].ToUpperInvariant() switch
        {
            "SMC" => Conduit.Smc,
            "HVC" => Conduit.Hvc,
            _ => Conduit.Unspecified,
        };
        return conduit == Conduit.Unspecified || parts.Length == 1 ? (conduit, (ushort)0) : (conduit, (ushort)Number(parts[1], 16, "an immediate", word, at));
    }

    private ScriptedArgument Argument()
    {
        var at = _at;
        if (_text[_at] == '\'')
        {
            var bytes = Encoding.UTF8.GetBytes(Quoted() + '\0');
            return new(_text[at.._at], new(0, bytes));
        }

        var word = Word();
        if (word[0] != '[')
        {
            return new(word, new(Signed(word, at)));
        }

        var length = word[^1] == ']' ? Number(word[1..^1], 64, "a length", word, at) : throw Fault(at, $"{word} has no end: a buffer of 64 bytes is [64].");
        return length is >= 1 and <= LongestBuffer
            ? new(word, new(0, new byte[length]))
            : throw Fault(at, $"{word}: a buffer has 1 to {LongestBuffer} bytes.");
    }

    private ulong Signed(string word, int at) => word[0] == '-'
        ? Number(word[1..], 64, "an argument", word, at) is var value && value <= 1ul << 63 ? 0 - value : throw Fault(at, $"{word} is less than 64 bits can hold.")
        : Number(word, 64, "an argument", word, at);

    private ulong Number(string text, int bits, string what, string word, int at)
    {
        try
        {
            return FunctionArgument.Number(text, bits, what);
        }
        catch (CliException e)
        {
            throw Fault(at, (text.Length > 0 ? e.Message : $"{word} is not {what}.") + (what == "an argument" ? " Text stands in '…', a buffer is [64]." : ""));
        }
    }

    /// <summary>From ' to '; \ makes a quote or itself plain, \n ends a line.</summary>
    private string Quoted()
    {
        var start = _at++;
        var text = new StringBuilder();
        for (; _at < _text.Length && _text[_at] != '\''; _at++)
        {
            if (_text[_at] != '\\')
            {
                text.Append(_text[_at]);
                continue;
            }

            text.Append(++_at < _text.Length && _text[_at] is '\\' or '\'' or 'n'
                ? _text[_at] == 'n' ? '\n' : _text[_at]
                : throw Fault(_at - 1, @"behind \ stands \, ' or n."));
        }

        if (_at == _text.Length)
        {
            throw Fault(start, "the text has no end: a ' is missing.");
        }

        _at++;
        return _at == _text.Length || EndsWord.Contains(_text[_at], StringComparison.Ordinal) ? text.ToString() : throw Fault(_at, "behind a text stands a blank.");
    }

    private string Word()
    {
        var start = _at;
        while (_at < _text.Length && !EndsWord.Contains(_text[_at], StringComparison.Ordinal))
        {
            _at++;
        }

        return _text[start.._at];
    }

    /// <summary>To the next word of this call; false where it ends.</summary>
    private bool SkipBlanks()
    {
        while (_at < _text.Length && Blank.Contains(_text[_at], StringComparison.Ordinal))
        {
            _at++;
        }

        if (_at < _text.Length && _text[_at] == '#')
        {
            _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length;
        }

        return _at < _text.Length && _text[_at] is not (';' or '\n');
    }

    /// <summary>To the next call; false at the end.</summary>
    private bool SkipTo()
    {
        while (!SkipBlanks())
        {
            if (_at == _text.Length)
            {
                return false;
            }

            _at++;
        }

        return true;
    }

    private CliException Fault(int at, string sentence) => new($"--calls: {Where(at)}: {sentence}", ExitCode.BadInput);

    private string Where(int at)
    {
        var line = _text.AsSpan(0, at).Count('\n') + 1;
        var column = at - (at == 0 ? -1 : _text.LastIndexOf('\n', at - 1));
        return string.Create(CultureInfo.InvariantCulture, $"call {_calls}, line {line}, column {column}");
    }
}
