using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Hypercalls.Daemon.Wire.Grpc;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire;

/// <summary>hypercalls.v1.KernelRegister: who answers which call.</summary>
internal sealed class KernelRegisterEndpoint(MachineRegistry machines, ServiceSet services, FunctionDirectory functions, ILogger<KernelRegisterEndpoint> log) : Protos.KernelRegister.KernelRegisterBase
{
    private static readonly ValueArray<Conduit> s_both = [Conduit.Smc, Conduit.Hvc];

    [ReceiveLimit(Limits.ReadyBytes)]
    public override Task<Protos.RegisterAnswer> Get(Protos.RegisterQuery request, ServerCallContext context)
    {
        try
        {
            var (register, caller) = (Register(request, Peers.Of(context)), Caller(request));
            var w0 = request.FunctionCase switch
            {
                Protos.RegisterQuery.FunctionOneofCase.W0 => request.W0,
                Protos.RegisterQuery.FunctionOneofCase.Name => functions.Resolve("name", request.Name, caller.IsAArch32).Value,
                _ => throw new BadMessageException("function", "give w0 or a name."),
            };
            var answerer = register.At(caller, w0);
            return Task.FromResult(new Protos.RegisterAnswer
            {
                W0 = w0,
                AnsweredBy = ToWire.Answered(answerer.By),
                Service = answerer.Service?.Name ?? "",
                Function = AnswerRegister.NameOf(answerer.Function, caller.Immediate, new(w0)),
                Reason = answerer.Reason,
                Shadowed = answerer.Shadowed?.Name ?? "",
            });
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    [ReceiveLimit(Limits.ReadyBytes)]
    public override async Task List(Protos.RegisterQuery request, IServerStreamWriter<Protos.RegisterRange> responseStream, ServerCallContext context)
    {
        try
        {
            var caller = Caller(request);
            foreach (var (first, last, answerer) in Register(request, Peers.Of(context)).Ranges(caller))
            {
                await responseStream.WriteAsync(new()
                {
                    First = first,
                    Last = last,
                    AnsweredBy = ToWire.Answered(answerer.By),
                    Service = answerer.Service?.Name ?? "",
                    Function = AnswerRegister.NameOf(answerer.Function, caller.Immediate, new(first)),
                    Reason = answerer.Reason,
                    Shadowed = answerer.Shadowed?.Name ?? "",
                }, context.CancellationToken);
            }
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e, log);
        }
    }

    private AnswerRegister Register(Protos.RegisterQuery request, Peer peer) => new(request.TargetCase switch
    {
        Protos.RegisterQuery.TargetOneofCase.Machine =>
            (machines.Find(FromWire.Name("machine", request.Machine, mayBeEmpty: false), peer) ?? throw Refusal.NoMachine(request.Machine, machines.ReachedBy(peer))).Served,
        Protos.RegisterQuery.TargetOneofCase.Ranges => new(services, FromWire.Ranges(request.Ranges), s_both),
        _ => new(services, KernelRegisterRanges.AllForwarded, s_both),
    });

    private static Caller Caller(Protos.RegisterQuery request) => new(
        FromWire.ConduitOrSmc("conduit", request.Conduit),
        FromWire.IsAArch32OrDefault("execution_state", request.ExecutionState),
        request.HasImm ? FromWire.Immediate("imm", request.Imm) : (ushort)0);
}
