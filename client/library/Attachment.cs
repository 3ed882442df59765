using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>One connection of a machine with its daemon: from the daemon's acceptance to the end of the stream.</summary>
internal sealed class Attachment
{
    // A thread cannot wait for longer.
    private const ulong LongestDeadline = int.MaxValue * 1000ul;

    private readonly ServedRange[] _special;

    public Attachment(Welcome welcome, RangesChanged accepted)
    {
        (Welcome, Accepted) = (welcome, accepted);
        Deadline = TimeSpan.FromMicroseconds(Math.Min(welcome.Deadlines.HostUs, LongestDeadline));
        // Most functions have neither, and every call is looked up.
        _special = [.. accepted.Served.Where(range => range.Uses != 0 || range.NoReturn)];
    }

    public Welcome Welcome { get; }

    public RangesChanged Accepted { get; }

    /// <summary>After this an exit falls back.</summary>
    public TimeSpan Deadline { get; }

    /// <summary>The range with registers above x5 or without a return that such a call lies in.</summary>
    public ServedRange? Special(Conduit conduit, uint imm, uint w0)
    {
        const uint SveHint = 1u << 16;
        // The hint of a fast call is no part of its identity.
        var id = imm == 0 && w0 >> 31 != 0 ? w0 & ~SveHint : w0;
        foreach (var range in _special)
        {
            if (range.Imm == imm && id >= range.First && id <= range.Last && range.Conduits.Contains(conduit))
            {
                return range;
            }
        }

        return null;
    }
}
