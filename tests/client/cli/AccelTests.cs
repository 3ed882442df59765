using System.Runtime.InteropServices;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>run --accel kvm, as far as any computer can go: what it takes, and what it says where it cannot run.</summary>
public sealed class AccelTests
{
    [Theory]
    [InlineData("--accel kvm --kernel x --el 2", "--el: it is for the emulated machine. Leave it away, or --accel kvm.")]
    [InlineData("--accel kvm --kernel x --cpu max", "--cpu: it is for the emulated machine. Leave it away, or --accel kvm.")]
    [InlineData("--kernel x --psci kernel", "--psci: it is for --accel kvm. Add that, or leave it away.")]
    [InlineData("--kernel x --deny 1-2", "--deny: it is for --accel kvm. Add that, or leave it away.")]
    [InlineData("--accel kvm --kernel x --deny 0x82000000", "--deny 0x82000000: no range of function IDs. Write first-last, such as 0x82000000-0x8200FFFF.")]
    [InlineData("--accel xen --kernel x", "Argument 'xen' not recognized. Must be one of:")]
    [InlineData("--kernel x --without psci --daemon 127.0.0.1:1", "--without: a private daemon does without it; leave --daemon away, or take the service out of that daemon's plugin folder.")]
    public async Task What_contradicts_itself_is_bad_input(string arguments, string sentence)
    {
        var run = await Tool.RunAsync(["run", .. arguments.Split(' ')]);
        Assert.StartsWith(sentence, run.Errors, StringComparison.Ordinal);
        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public async Task A_service_to_leave_away_that_there_is_not_is_bad_input()
    {
        var run = await Tool.RunAsync("run", "--kernel", "x", "--without", "nobody");
        Assert.Matches("^--without nobody: there is no such plugin in .*, only psci, sdei, smccc, trng.\n$", run.Errors);
        Assert.Equal(2, run.ExitCode);
    }

    [Fact]
    public async Task A_computer_that_cannot_says_so_before_it_starts_anything()
    {
        if (RuntimeInformation.OSArchitecture == Architecture.Arm64)
        {
            return; // It may be able to.
        }
        var run = await Tool.RunAsync("run", "--accel", "kvm", "--kernel", "x");
        Assert.Matches("^(/dev/kvm runs no arm64 guests here|There is no /dev/kvm|/dev/kvm is forbidden to) .*, which emulates .*\n$|^/dev/kvm may not be opened by this user .*: join its group", run.Errors);
        Assert.Equal(("", 1), (run.Output, run.ExitCode));
    }
}
