using Hypercalls.Qemu.Monitor;

namespace Hypercalls.Tests.Client.Qemu.Monitor;

public sealed class MailboxLayoutTests
{
    [Fact]
    public void Is_that_of_the_header_constant_by_constant()
    {
        LayoutHeader.IsThatOf(typeof(MailboxLayout), "client/qemu/Monitor/mailbox.h");
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
}
