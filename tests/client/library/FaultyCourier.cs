using System.Collections.Concurrent;
using Grpc.Core;
using Hypercalls.Protos;
using Hypercalls.Tests.Psci;

namespace Hypercalls.Tests.Client.Library;

/// <summary>
/// Stands between a host and its daemon and speaks the wire with both: loses, delays, repeats and reorders exits and answers, and delivers some on a stream of their own
/// when the host has long given them up. Attach streams keep their order, as any stream does: they are cut, and what was said on them may arrive later all the same.
/// </summary>
internal sealed class FaultyCourier(CallInvoker daemon, ulong seed, TimeSpan hostDeadline) : global::Hypercalls.Protos.Hypercalls.HypercallsBase
{
    private readonly global::Hypercalls.Protos.Hypercalls.HypercallsClient _daemon = new(daemon);
    private readonly ConcurrentDictionary<Task, bool> _late = [];
    private readonly ConcurrentDictionary<string, int> _done = [];
    private volatile bool _isHealed;
    private int _streams;

    /// <summary>What it did, and how often.</summary>
    public string Done => string.Join(", ", _done.OrderBy(done => done.Key).Select(done => $"{done.Value} {done.Key}"));

    /// <summary>From now on everything passes at once, and what was to arrive late has arrived.</summary>
    public async Task HealAsync()
    {
        _isHealed = true;
        while (!_late.IsEmpty)
        {
            await Task.WhenAll(_late.Keys).Soon();
        }
    }

    public void Break() => _isHealed = false;

    public override async Task Attach(IAsyncStreamReader<HostMessage> requestStream, IServerStreamWriter<DaemonMessage> responseStream, ServerCallContext context)
    {
        var dice = NewDice();
        // Not with the host's: what it has said may arrive after it is gone.
        var stream = _daemon.Attach();
        var isLate = false;
        try
        {
            await await Task.WhenAny(UpAsync(), DownAsync());
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
        {
            throw new RpcException(e.Status);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The stream was cut."));
        }
        finally
        {
            if (!isLate)
            {
                stream.Dispose();
            }
        }

        async Task UpAsync()
        {
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                var message = requestStream.Current.Clone();
                if (message.Ready is not null && Befalls(dice, 3))
                {
                    isLate = true;
                    Later("Ready that came late", async () =>
                    {
                        using (stream)
                        {
                            await Task.Delay(dice.Below(1000));
                            await stream.RequestStream.WriteAsync(message);
                            await Task.Delay(dice.Below(200));
                        }
                    });
                    throw new OperationCanceledException("Cut at its Ready.");
                }

                if (Befalls(dice, 25))
                {
                    Count("Attach stream cut");
                    throw new OperationCanceledException("Cut.");
                }

                await DelayAsync(dice);
                await stream.RequestStream.WriteAsync(message);
            }

            await stream.RequestStream.CompleteAsync();
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }

        async Task DownAsync()
        {
            while (await stream.ResponseStream.MoveNext())
            {
                await DelayAsync(dice);
                await responseStream.WriteAsync(stream.ResponseStream.Current);
            }
        }
    }

    public override async Task RunVcpu(IAsyncStreamReader<VcpuMessage> requestStream, IServerStreamWriter<DaemonToVcpu> responseStream, ServerCallContext context)
    {
        var dice = NewDice();
        var back = NewDice();
        using var stream = _daemon.RunVcpu();
        try
        {
            await await Task.WhenAny(UpAsync(), DownAsync());
        }
        catch (RpcException e) when (e.StatusCode != StatusCode.Cancelled)
        {
            throw new RpcException(e.Status);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The stream was cut."));
        }

        async Task UpAsync()
        {
            VcpuMessage? open = null;
            VcpuMessage? before = null;
            VcpuMessage? kept = null;
            while (await requestStream.MoveNext(context.CancellationToken))
            {
                var message = requestStream.Current.Clone();
                if (open is null)
                {
                    open = message;
                    await stream.RequestStream.WriteAsync(message);
                    continue;
                }

                switch (_isHealed ? -1 : dice.Below(100))
                {
                    case 0:
                        Count("exit lost");
                        break;
                    case 1:
                        Alone("exit that came late", open, message, dice.Below((int)(2 * hostDeadline.TotalMilliseconds)));
                        break;
                    case 2:
                        Count("exit kept until after the next");
                        kept = message;
                        continue;
                    case < 8:
                        Count("exit repeated");
                        await stream.RequestStream.WriteAsync(message);
                        await stream.RequestStream.WriteAsync(message);
                        break;
                    case < 12 when before is not null:
                        Count("old exit sent again before the next");
                        await stream.RequestStream.WriteAsync(before);
                        await stream.RequestStream.WriteAsync(message);
                        break;
                    case < 16 when before is not null:
                        Count("old exit sent again after the next");
                        await stream.RequestStream.WriteAsync(message);
                        await stream.RequestStream.WriteAsync(before);
                        break;
                    case < 18 when before is not null:
                        Alone("old exit sent again on a new stream", open, before, dice.Below(20));
                        await stream.RequestStream.WriteAsync(message);
                        break;
                    case < 20:
                        Alone("exit sent on a second stream too", open, message, dice.Below(20));
                        await stream.RequestStream.WriteAsync(message);
                        break;
                    case 20:
                        Count("vCPU stream cut");
                        throw new OperationCanceledException("Cut.");
                    case < 30:
                        await DelayAsync(dice);
                        await stream.RequestStream.WriteAsync(message);
                        break;
                    default:
                        await stream.RequestStream.WriteAsync(message);
                        break;
                }

                if (kept is not null)
                {
                    await stream.RequestStream.WriteAsync(kept);
                    kept = null;
                }

                before = message;
            }
        }

        async Task DownAsync()
        {
            DaemonToVcpu? before = null;
            while (await stream.ResponseStream.MoveNext(context.CancellationToken))
            {
                var message = stream.ResponseStream.Current.Clone();
                switch (_isHealed ? -1 : back.Below(100))
                {
                    case 0:
                        Count("answer lost");
                        break;
                    case < 6:
                        Count("answer repeated");
                        await responseStream.WriteAsync(message);
                        await responseStream.WriteAsync(message);
                        break;
                    case < 10 when before is not null:
                        Count("old answer sent again");
                        await responseStream.WriteAsync(before);
                        await responseStream.WriteAsync(message);
                        break;
                    case 10:
                        Count("stream cut with its answer");
                        throw new OperationCanceledException("Cut.");
                    case 11:
                        Count("answer later than the deadline");
                        await Task.Delay(hostDeadline + TimeSpan.FromMilliseconds(back.Below(200)), context.CancellationToken);
                        await responseStream.WriteAsync(message);
                        break;
                    case < 20:
                        await DelayAsync(back);
                        await responseStream.WriteAsync(message);
                        break;
                    default:
                        await responseStream.WriteAsync(message);
                        break;
                }

                before = message;
            }
        }
    }

    private Dice NewDice() => new(seed + (1000ul * (ulong)Interlocked.Increment(ref _streams)));

    private bool Befalls(Dice dice, int oneIn) => !_isHealed && dice.OneIn(oneIn);

    private async Task DelayAsync(Dice dice)
    {
        if (Befalls(dice, 4))
        {
            Count("delay");
            await Task.Delay(dice.Below(40));
        }
    }

    /// <summary>An exit goes its own way.</summary>
    private void Alone(string what, VcpuMessage open, VcpuMessage exit, int milliseconds) => Later(what, async () =>
    {
        await Task.Delay(milliseconds);
        using var stream = _daemon.RunVcpu();
        await stream.RequestStream.WriteAsync(open);
        await stream.RequestStream.WriteAsync(exit);
        await stream.ResponseStream.MoveNext();
    });

    private void Later(string what, Func<Task> deliver)
    {
        Count(what);
        var delivery = Task.Run(async () =>
        {
            try
            {
                await deliver();
            }
            catch (Exception e) when (e is RpcException or IOException or InvalidOperationException)
            {
                // Refused, as it may be.
            }
        });
        _late[delivery] = true;
        _ = delivery.ContinueWith(done => _late.TryRemove(done, out _), TaskScheduler.Default);
    }

    private void Count(string what) => _done.AddOrUpdate(what, 1, (_, count) => count + 1);
}
