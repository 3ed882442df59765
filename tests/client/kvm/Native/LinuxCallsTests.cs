using System.Runtime.InteropServices;
using Hypercalls.Kvm.Native;

namespace Hypercalls.Tests.Client.Kvm.Native;

public sealed class LinuxCallsTests
{
    [Fact]
    public void What_fails_gives_the_errno()
    {
        Assert.Equal(-Errno.Enoent, LinuxCalls.Open("/dev/there-is-no-such-device"));
        Assert.Equal(-9, LinuxCalls.Close(-1)); // EBADF
        Assert.Equal(-9, LinuxCalls.Control(-1, KvmIoctl.GetApiVersion, 0));
        var file = LinuxCalls.Open("/dev/null");
        Assert.True(file >= 0);
        Assert.Equal(-Errno.Enotty, LinuxCalls.Control(file, KvmIoctl.GetApiVersion, 0));
        Assert.Equal(0, LinuxCalls.Close(file));
    }

    [Fact]
    public async Task A_kick_ends_a_system_call_that_blocks()
    {
        for (var round = 0; round < 100; round++)
        {
            var thread = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
            var blocked = Task.Factory.StartNew(
                () =>
                {
                    thread.SetResult(LinuxCalls.ThisThread());
                    return Poll(0, 0, -1) < 0 ? Marshal.GetLastPInvokeError() : 0;
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            var id = await thread.Task;
            // A signal before the call is none to it: this is repeated, as only a vCPU has a byte that keeps it.
            while (!blocked.IsCompleted)
            {
                LinuxCalls.Kick(id);
                await Task.WhenAny(blocked, Task.Delay(1));
            }
            Assert.Equal(Errno.Eintr, await blocked);
        }
    }

    [Fact]
    public void A_kick_harms_neither_a_thread_that_works_nor_one_that_has_ended()
    {
        var (id, sum) = (0, 0L);
        using var started = new ManualResetEventSlim();
        var worker = new Thread(() =>
        {
            id = LinuxCalls.ThisThread();
            started.Set();
            for (var n = 0L; n < 20_000_000; n++)
            {
                sum += n;
            }
        });
        worker.Start();
        started.Wait();
        for (var n = 0; n < 1000; n++)
        {
            LinuxCalls.Kick(id);
        }
        worker.Join();
        Assert.Equal(20_000_000L * 19_999_999 / 2, sum);
        LinuxCalls.Kick(id);
    }

    [DllImport("libc", EntryPoint = "poll", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Poll(nint descriptors, nuint count, int timeout);
}
