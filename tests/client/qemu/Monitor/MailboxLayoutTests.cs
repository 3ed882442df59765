using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Tests.Client.Qemu.Monitor;

public sealed partial class MailboxLayoutTests
{
    [Fact]
    public void Is_that_of_the_header_constant_by_constant()
    {
        var header = Definition().Matches(File.ReadAllText(GuestImages.Source("client/qemu/Monitor/mailbox.h")))
            .ToDictionary(match => PascalCase(match.Groups["name"].Value), match => Number(match.Groups["value"].Value));
        var constants = typeof(MailboxLayout).GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        Assert.Equal(header.OrderBy(pair => pair.Key, StringComparer.Ordinal), constants.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void Has_no_overlaps_in_a_page()
    {
        Assert.True(MailboxLayout.ExitFrame + MailboxLayout.FrameSize <= MailboxLayout.Command);
        Assert.True(MailboxLayout.AnswerFrame + MailboxLayout.FrameSize <= MailboxLayout.Identity);
        Assert.True(MailboxLayout.Identity + (MailboxLayout.IdentityCount * 8) <= MailboxLayout.StartExit);
        Assert.True(MailboxLayout.StartEndianness + 4 <= MailboxLayout.Decisions);
        Assert.True(MailboxLayout.DecisionAttend + 4 <= MailboxLayout.DecisionSize);
        Assert.True(MailboxLayout.TakeOutcome + 8 <= MailboxLayout.AnswerFrame);
        Assert.True(MailboxLayout.Decisions + (2 * MailboxLayout.DecisionSize) <= MailboxLayout.Ended);
        Assert.True(MailboxLayout.Ended + MailboxLayout.InterruptSet <= MailboxLayout.Returned);
        Assert.True(MailboxLayout.Returned + MailboxLayout.InterruptSet <= MailboxLayout.Owed);
        Assert.True(MailboxLayout.Owed + MailboxLayout.InterruptSet <= MailboxLayout.PageSize);
        Assert.True(MailboxLayout.GicLock + 4 <= MailboxLayout.Token);
        Assert.True(MailboxLayout.Stub + 0x800 <= MailboxLayout.Priorities);
        Assert.True(MailboxLayout.Priorities + MailboxLayout.PrioritiesSpi + (MailboxLayout.MaximumVcpus * MailboxLayout.PrioritiesPpi) <= MailboxLayout.Pages);
        Assert.True(MailboxLayout.Token + MailboxLayout.TokenSize <= MailboxLayout.Stub);
        Assert.True(MailboxLayout.Pages + (MailboxLayout.MaximumVcpus * MailboxLayout.PageSize) <= MailboxLayout.AreaSize);
    }

    private static string PascalCase(string name) =>
        string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant()));

    private static long Number(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^#define\s+(?<name>\w+)\s+(?<value>\w+)", RegexOptions.Multiline)]
    private static partial Regex Definition();
}
