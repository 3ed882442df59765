using Hypercalls.Protos;

namespace Hypercalls.Cli.Output;

/// <summary>Who answers a call, in words: the kernel (PSCI version register), and PSCI never sees it.</summary>
internal static class AnswererText
{
    public static string Of(AnsweredBy who, string service, string reason, string shadowed)
    {
        var why = reason.Length > 0 ? $" ({reason})" : "";
        var never = shadowed.Length > 0 ? $", and {shadowed} never sees it" : "";
        return who switch
        {
            AnsweredBy.Kernel => $"the kernel{why}{never}",
            AnsweredBy.Service => service,
            AnsweredBy.Denied => $"denied{why}{never}",
            AnsweredBy.ClaimedButUnserved => $"claimed by the kernel, but not served{why}{never}",
            _ => $"nobody: NOT_SUPPORTED{why}{never}",
        };
    }
}
