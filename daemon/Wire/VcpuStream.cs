using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>One vCPU's stream: Open, then one exit and one answer at a time.</summary>
internal sealed class VcpuStream(MachineRegistry machines, Dispatcher dispatcher, TimeProvider clock, ILogger<VcpuStream> log)
{
    public async Task RunAsync(IAsyncStreamReader<Protos.VcpuMessage> requests, IServerStreamWriter<Protos.DaemonToVcpu> responses, Peer peer, CancellationToken cancelled)
    {
        try
        {
            var (machine, core) = await OpenAsync(requests, peer, cancelled);
            var stream = core.BeginStream(cancelled);
            try
            {
                await ServeAsync(machine, core, stream, requests, responses);
            }
            catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
            {
                throw new OutOfOrderException($"open.mpidr: another stream of core {core.Mpidr} of {machine.Name} was opened, and this one ends.");
            }
            finally
            {
                core.EndStream(stream);
            }
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            Log.Refused(log, e.Message);
            throw Refusal.Of(e);
        }
    }

    private async Task ServeAsync(
        Machine machine, CoreSlot core, CancellationTokenSource stream, IAsyncStreamReader<Protos.VcpuMessage> requests, IServerStreamWriter<Protos.DaemonToVcpu> responses)
    {
        var ended = stream.Token;
        var reply = new Protos.DaemonToVcpu { Answer = new() };
        var supplies = new SupplyExchange(dispatcher, clock, requests, responses);
        while (await supplies.NextAsync(ended))
        {
            var received = clock.GetTimestamp();
            if (requests.Current.Exit is not { } exit)
            {
                throw new BadMessageException("message", $"{requests.Current.MessageCase} is not expected here: an exit is.");
            }

            await machine.BootBegunAsync(exit.Boot);
            ended.ThrowIfCancellationRequested();
            FaultPoint.BeforeDispatch();
            var answered = Answer(machine, core, exit, received);
            while (answered.Unfinished is { } unfinished)
            {
                answered = unfinished.Served.Need is null
                    ? await WorkAsync(machine, core, answered.Head, unfinished, ended)
                    : await supplies.AskAsync(machine, core, answered.Head, unfinished, ended);
            }

            ToWire.Answer(answered, machine.Incarnation, reply.Answer);
            FaultPoint.AfterCommit();
            await responses.WriteAsync(reply, ended);
            FaultPoint.AfterAnswer();
        }
    }

    private async ValueTask<AnsweredExit> WorkAsync(Machine machine, CoreSlot core, ExitHead head, UnfinishedCall unfinished, CancellationToken ended)
    {
        if (machine.Work(core, head, unfinished) is not { } work)
        {
            return Machine.StillWorking(head);
        }

        var finished = await work.EndsWithinAsync(machine.Left(unfinished), ended);
        return finished is null ? machine.TooLate(head, unfinished, "worked") : dispatcher.GoOn(machine, core, head, unfinished, new Continuation.Finished(finished));
    }

    private async Task<(Machine, CoreSlot)> OpenAsync(IAsyncStreamReader<Protos.VcpuMessage> requests, Peer peer, CancellationToken cancelled)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancelled);
        patience.CancelAfter(Limits.FirstMessage);
        var open = await FirstAsync(requests, patience.Token, cancelled) ? requests.Current.Open : null;
        if (open is null)
        {
            throw new BadMessageException("open", "must be the first message of RunVcpu.");
        }

        var machine = machines.Attached(open.Token.Span, "open.token", peer)
            ?? throw new OutOfOrderException("open.token: no machine has this token. Attach first.");
        var mpidr = FromWire.Mpidr("open.mpidr", open.Mpidr);
        // Streams have no order: an exit must not overtake what the host says of its kernel.
        return !await machine.IsReady.WaitAsync(cancelled)
            ? throw new OutOfOrderException($"open.token: {machine.Name} never became ready.")
            : (machine, machine.Core(mpidr) ?? throw new BadMessageException("open.mpidr", $"{machine.Name} has no core {mpidr}."));
    }

    /// <summary>A stream that says nothing is not kept.</summary>
    private static async Task<bool> FirstAsync(IAsyncStreamReader<Protos.VcpuMessage> requests, CancellationToken patience, CancellationToken cancelled)
    {
        try
        {
            return await requests.MoveNext(patience);
        }
        catch (OperationCanceledException) when (!cancelled.IsCancellationRequested)
        {
            return false;
        }
    }

    private AnsweredExit Answer(Machine machine, CoreSlot core, Protos.Exit exit, long received)
    {
        var head = new ExitHead(exit.ExitId, exit.Boot, FromWire.Previous(exit.Previous));
        switch (exit.KindCase)
        {
            case Protos.Exit.KindOneofCase.Hypercall:
                var call = exit.Hypercall;
                var registers = FromWire.Registers(call, out var supplied);
                ushort? immediate = call.HasImm ? FromWire.Immediate("exit.hypercall.imm", call.Imm) : null;
                return dispatcher.Hypercall(
                    machine, core, head, new(FromWire.Conduit("exit.hypercall.conduit", call.Conduit), immediate, registers, supplied, new(call.Pstate), received));
            case Protos.Exit.KindOneofCase.Attention:
                return machine.Attention(core, head, FromWire.Attention(exit.Attention, core.Mpidr, clock.GetUtcNow()), received);
            case Protos.Exit.KindOneofCase.Wake:
                FromWire.Wake(exit.Wake);
                return machine.Wake(core, head, received);
            default:
                return machine.Report(core, head, FromWire.Report(exit), received);
        }
    }
}
