namespace Hypercalls.Tests.Client.Cli;

/// <summary>Events that interrupts are bound to.</summary>
public sealed partial class SdeiTests
{
    [NeedsTheory(Qemu, Compiler)]
    [InlineData]
    [InlineData("--el", "2")]
    public async Task Interrupts_become_events_each_trigger_once_and_are_the_guest_s_again_in_the_end(params string[] options)
    {
        var run = await RunAsync("sdei_timer", ["--cores", "2", .. options]);
        Assert.Equal(
            ("""
            FEATURES(0): 0x30003
            BIND of an SGI: 0xfffffffffffffffe
            BIND of none: 0xfffffffffffffffe
            BIND of the doorbell: 0xfffffffffffffffe
            BIND of an enabled one: 0xfffffffffffffffd
            BIND: 0x40100000
            again: 0x40100000
            BIND of another: 0x40100001
            STATUS: 0x0
            SIGNAL: 0xfffffffffffffffe
            priority: 0x0
            type: 0x0
            BIND of a shared one: 0x40200000
            type: 0x1
            BIND: 0x40200001
            BIND: 0x40200002
            BIND, all taken: 0xfffffffffffffff6
            it fires before there is a handler
            register: 0x0
            enable: 0x0
            register: 0x0
            enable: 0x0
            fired at core 0: 0x7d0
            and at core 1: 0x3e8
            without cause: 0x0
            wrong: 0x0
            RELEASE: 0xfffffffffffffffd
            register: 0x0
            enable: 0x0
            the alarm, at core: 0x0
            ROUTING_SET: 0x0
            enable: 0x0
            the alarm, at core: 0x1
            routed to any: 0x0
            the alarm, at core: 0x0
            SHARED_RESET: 0xfffffffffffffffd
            PRIVATE_RESET: 0x0
            SHARED_RESET: 0x0
            STATUS: 0xfffffffffffffffe
            returned disabled: yes
            the timer is the guest's again

            """, 0, ""),
            (Said(run), run.ExitCode, run.Errors));
    }
}
