using Grpc.Core;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Wire;

/// <summary>hypercalls.v1.KernelRegister: who answers which call.</summary>
internal sealed class KernelRegisterEndpoint(MachineRegistry machines, ServiceSet services, FunctionDirectory functions) : Protos.KernelRegister.KernelRegisterBase
{
    public override Task<Protos.RegisterAnswer> Get(Protos.RegisterQuery request, ServerCallContext context)
    {
        try
        {
            var space = Space.Of(request, Kernel(request));
            var w0 = request.FunctionCase switch
            {
                Protos.RegisterQuery.FunctionOneofCase.W0 => request.W0,
                Protos.RegisterQuery.FunctionOneofCase.Name => functions.Resolve("name", request.Name, space.IsAArch32).Value,
                _ => throw new BadMessageException("function", "give w0 or a name."),
            };
            var kernel = space.Kernel.Find(space.Conduit, space.IsAArch32, space.Immediate, w0);
            var range = Range(space, kernel, w0, w0);
            return Task.FromResult(new Protos.RegisterAnswer
            {
                W0 = w0,
                AnsweredBy = range.AnsweredBy,
                Service = range.Service,
                Function = range.Function.Length > 0 ? range.Function : FunctionNames.TryGetName(new FunctionId(w0).WithoutHint, out var name) ? name : "",
                Reason = range.Reason,
            });
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e);
        }
    }

    public override async Task List(Protos.RegisterQuery request, IServerStreamWriter<Protos.RegisterRange> responseStream, ServerCallContext context)
    {
        try
        {
            Protos.RegisterRange? pending = null;
            foreach (var range in Ranges(Space.Of(request, Kernel(request))))
            {
                if (pending is not null && Continues(pending, range))
                {
                    pending.Last = range.Last;
                    continue;
                }

                if (pending is not null)
                {
                    await responseStream.WriteAsync(pending);
                }

                pending = range;
            }

            await responseStream.WriteAsync(pending!);
        }
        catch (Exception e) when (Refusal.IsKnown(e))
        {
            throw Refusal.Of(e);
        }
    }

    private static bool Continues(Protos.RegisterRange before, Protos.RegisterRange range) =>
        (before.AnsweredBy, before.Service, before.Function, before.Reason) == (range.AnsweredBy, range.Service, range.Function, range.Reason);

    private KernelRegisterRanges Kernel(Protos.RegisterQuery request) => request.TargetCase switch
    {
        Protos.RegisterQuery.TargetOneofCase.Machine =>
            (machines.Find(FromWire.Name("machine", request.Machine, mayBeEmpty: false)) ?? throw Refusal.NoMachine(request.Machine)).Kernel,
        Protos.RegisterQuery.TargetOneofCase.Ranges => FromWire.Ranges(request.Ranges),
        _ => KernelRegisterRanges.AllForwarded,
    };

    /// <summary>The whole of w0, cut where the kernel's ranges or the services' functions begin and end.</summary>
    private IEnumerable<Protos.RegisterRange> Ranges(Space space)
    {
        uint[] starts = [.. Starts(space).Where(start => start <= uint.MaxValue).Select(start => (uint)start).Distinct().Order()];
        for (var i = 0; i < starts.Length; i++)
        {
            var last = i + 1 < starts.Length ? starts[i + 1] - 1 : uint.MaxValue;
            yield return Range(space, space.Kernel.Find(space.Conduit, space.IsAArch32, space.Immediate, starts[i]), starts[i], last);
        }
    }

    private IEnumerable<ulong> Starts(Space space)
    {
        yield return 0;
        foreach (var range in space.Kernel.Of(space.Conduit, space.IsAArch32, space.Immediate == 0).ToArray())
        {
            yield return range.First;
        }

        foreach (var id in services.All.SelectMany(service => service.Rows).SelectMany(row => row.Ids))
        {
            yield return id.Value;
            yield return id.Value + 1ul;
            if (id.IsFast)
            {
                // The same function with the SVE hint.
                yield return id.Value | 1u << 16;
                yield return (id.Value | 1u << 16) + 1ul;
            }
        }
    }

    private Protos.RegisterRange Range(Space space, KernelRange kernel, uint first, uint last)
    {
        var range = new Protos.RegisterRange { First = first, Last = last, Reason = kernel.Reason, AnsweredBy = Protos.AnsweredBy.Nobody };
        switch (kernel.Disposition)
        {
            case Disposition.Kernel:
                range.AnsweredBy = Protos.AnsweredBy.Kernel;
                break;
            case Disposition.Denied:
                range.AnsweredBy = Protos.AnsweredBy.Denied;
                break;
            case Disposition.ClaimedButUnserved:
                range.AnsweredBy = Protos.AnsweredBy.ClaimedButUnserved;
                break;
            case Disposition.Forwarded when services.Find(new(first), space.Conduit, space.Immediate, space.IsAArch32) is var (service, function):
                range.AnsweredBy = Protos.AnsweredBy.Service;
                range.Service = service.Name;
                range.Function = function.Name;
                break;
            default:
                break;
        }

        return range;
    }

    /// <summary>What a query is about, beside w0.</summary>
    private sealed record Space(KernelRegisterRanges Kernel, Conduit Conduit, bool IsAArch32, ushort Immediate)
    {
        public static Space Of(Protos.RegisterQuery request, KernelRegisterRanges kernel) => new(
            kernel,
            FromWire.ConduitOrSmc("conduit", request.Conduit),
            FromWire.IsAArch32OrDefault("execution_state", request.ExecutionState),
            request.HasImm ? FromWire.Immediate("imm", request.Imm) : (ushort)0);
    }
}
