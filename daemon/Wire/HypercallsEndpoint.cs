using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>hypercalls.v1.Hypercalls: what vCPU hosts speak.</summary>
internal sealed class HypercallsEndpoint(
    MachineRegistry machines, Dispatcher dispatcher, FunctionDirectory functions, AttachStream attach, VcpuStream vcpus, DaemonOptions options, TimeProvider clock, ILogger<HypercallsEndpoint> log)
    : Protos.Hypercalls.HypercallsBase
{
    // Ready lists the whole kernel register.
    [ReceiveLimit(Limits.ReadyBytes)]
    public override Task Attach(IAsyncStreamReader<Protos.HostMessage> requestStream, IServerStreamWriter<Protos.DaemonMessage> responseStream, ServerCallContext context) =>
        attach.RunAsync(requestStream, responseStream, Peers.Of(context), context.CancellationToken);

    public override Task RunVcpu(IAsyncStreamReader<Protos.VcpuMessage> requestStream, IServerStreamWriter<Protos.DaemonToVcpu> responseStream, ServerCallContext context) =>
        vcpus.RunAsync(requestStream, responseStream, Peers.Of(context), context.CancellationToken);

    public override async Task<Protos.CallReply> Call(Protos.CallRequest request, ServerCallContext context)
    {
        var peer = Peers.Of(context);
        try
        {
            // On a thread of its own: a service that does not return must not keep the caller.
            return await Task.Run(() => Call(request, peer)).MayBeAbandoned().WaitAsync(options.HostDeadline, clock, context.CancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"The service did not answer within {options.HostDeadlineMs} ms."));
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    private Protos.CallReply Call(Protos.CallRequest request, Peer peer)
    {
        var received = clock.GetTimestamp();
        var isAArch32 = FromWire.IsAArch32OrDefault("execution_state", request.ExecutionState);
        var id = request.FunctionCase switch
        {
            Protos.CallRequest.FunctionOneofCase.Id => new(request.Id),
            Protos.CallRequest.FunctionOneofCase.Name => functions.Resolve("name", request.Name, isAArch32),
            _ => throw new BadMessageException("function", "give an ID or a name."),
        };
        FromWire.Limit("arguments", request.Arguments.Count, CallRegisters.Count - 1);
        var registers = new CallRegisters();
        registers[0] = id.Value;
        for (var i = 0; i < request.Arguments.Count; i++)
        {
            registers[i + 1] = request.Arguments[i];
        }

        var mpidr = FromWire.Mpidr("core", request.Core);
        var machine = request.Machine.Length == 0
            ? machines.Scratch(mpidr)
            : machines.Find(FromWire.Name("machine", request.Machine, mayBeEmpty: false), peer) ?? throw Refusal.NoMachine(request.Machine, machines.ReachedBy(peer));
        var core = machine.Core(mpidr) ?? throw new BadMessageException("core", $"{machine.Name} has no core {mpidr}.");
        var source = new CallSource(
            FromWire.ConduitOrSmc("conduit", request.Conduit),
            FromWire.Immediate("imm", request.Imm),
            registers,
            (1u << CallRegisters.Count) - 1,
            isAArch32 ? new(0x1D3) : machine.Description.ClientEl == 2 ? Pstate.El2h : Pstate.El1h,
            received);

        // On a scratch machine an effect is shown and goes nowhere.
        var served = request.Machine.Length == 0
            ? dispatcher.OnScratch(machine, core, source)
            : dispatcher.CallByHand(machine, core, source, request.Apply);
        return new()
        {
            Id = id.Value,
            Service = served.Service?.Name ?? "",
            Function = AnswerRegister.NameOf(served.Function, source.Immediate.GetValueOrDefault(), id),
            Results = { ToWire.Registers(served.Answer) },
            ResultText = served.ResultText(),
            EffectText = served.EffectText(),
            Note = served.Failure?.ToString() ?? "",
        };
    }
}
