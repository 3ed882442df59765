using Google.Protobuf;
using Hypercalls.Daemon.Dispatch;
using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Wire;

/// <summary>Values to messages.</summary>
internal static partial class ToWire
{
    /// <summary>Writes an answer over the one before of the same stream.</summary>
    public static void Answer(in AnsweredExit answered, ulong incarnation, Protos.Answer message)
    {
        var answer = answered.Answer;
        message.ExitId = answered.Head.ExitId;
        message.Boot = answered.Head.Boot;
        message.Incarnation = incarnation;
        message.Commit = answered.Commit;
        message.AttendBeforeResume = answered.AttendBeforeResume;
        message.Note = answered.Note ?? "";
        message.NotServed = answered.IsNotServed;
        SetResults(answer, message);
        message.MemoryWrites.Clear();
        foreach (var write in answer.Writes)
        {
            message.MemoryWrites.Add(new Protos.MemoryBlock { Base = write.Base, Data = ByteString.CopyFrom(write.Data.Span) });
        }

        message.EndedInterrupts.Clear();
        foreach (var intid in answer.EndedInterrupts.Span)
        {
            message.EndedInterrupts.Add(intid);
        }

        message.ReturnedInterrupts.Clear();
        foreach (var intid in answer.ReturnedInterrupts.Span)
        {
            message.ReturnedInterrupts.Add(intid);
        }

        SetEffect(answer.Then, message);
    }

    public static Protos.Need Need(ulong exitId, Need need) => new()
    {
        ExitId = exitId,
        Registers = { need.Registers.Select(register => (uint)register) },
        Memory = { need.Memory.Select(range => new Protos.MemoryRange { Base = range.Base, Size = (ulong)range.Size }) },
        System = { need.System.Select(register => (Protos.SystemRegister)register) },
    };

    public static ulong[] Registers(in Answer answer) =>
        answer.Kind == ResultKind.None ? [] : [answer.X0, answer.X1, answer.X2, answer.X3];

    public static Protos.Conduit Conduit(Conduit conduit) => conduit == Sdk.Conduit.Hvc ? Protos.Conduit.Hvc : Protos.Conduit.Smc;

    public static Protos.AnsweredBy Answered(Answered by) => by switch
    {
        Machines.Answered.Kernel => Protos.AnsweredBy.Kernel,
        Machines.Answered.Service => Protos.AnsweredBy.Service,
        Machines.Answered.Denied => Protos.AnsweredBy.Denied,
        Machines.Answered.ClaimedButUnserved => Protos.AnsweredBy.ClaimedButUnserved,
        _ => Protos.AnsweredBy.Nobody,
    };

    public static Protos.Core Core(Core core) => new() { Mpidr = core.Mpidr.Value, Power = (Protos.CorePower)core.Power };

    public static Protos.DaemonMessage ToHost(ToHost message) => message switch
    {
        ToHost.Attention attention => new() { Attention = new() { Core = attention.Core.Value, Wanted = attention.Wanted } },
        ToHost.Goodbye goodbye => new() { Goodbye = new() { Reason = goodbye.Reason, TakenOver = goodbye.TakenOver } },
        _ => throw new ArgumentOutOfRangeException(nameof(message)),
    };

    public static IEnumerable<Protos.ServedRange> Served(ServiceSet services)
    {
        foreach (var service in services.All)
        {
            foreach (var row in service.Rows)
            {
                foreach (var id in row.Ids.Where(services.Contains))
                {
                    yield return new()
                    {
                        Conduits = { Protos.Conduit.Smc, Protos.Conduit.Hvc },
                        First = id.Value,
                        Last = id.Value,
                        Service = service.Name,
                        NoReturn = row.Traits.IsNoReturn,
                        Uses = row.Traits.Used,
                    };
                }
            }

            foreach (var claim in service.Claims.Where(services.Serves))
            {
                yield return new() { Conduits = { Conduit(claim.Conduit) }, Imm = claim.Immediate, First = 0, Last = uint.MaxValue, Service = service.Name };
            }
        }
    }

    public static Protos.DeviceTreeNode DeviceTreeNode(DeviceTreeNode node) => new()
    {
        Path = node.Path,
        Properties = { node.Properties.Select(Property) },
    };

    public static Protos.CallRecord Record(CallEntry entry, ulong dropped)
    {
        var record = new Protos.CallRecord
        {
            TimeNs = (entry.Time - DateTimeOffset.UnixEpoch).Ticks * 100,
            Machine = entry.Machine,
            Core = entry.Core.Value,
            CoreNumber = (uint)entry.CoreNumber,
            Conduit = Conduit(entry.Call.Conduit),
            Id = (uint)entry.Call.Registers[0],
            Service = entry.Served.Service?.Name ?? "",
            Function = AnswerRegister.NameOf(entry.Served.Function, entry.Call.Immediate, entry.Call.Function),
            Results = { Registers(entry.Served.Answer) },
            ResultText = entry.Served.ResultText(),
            EffectText = entry.Served.EffectText(),
            DurationNs = (ulong)entry.Duration.Ticks * 100,
            Fallback = entry.FellBack,
            Note = entry.Note ?? "",
            Dropped = dropped,
            ExitId = entry.Head.ExitId,
            Boot = entry.Head.Boot,
        };
        if (entry.Immediate is { } immediate)
        {
            record.Imm = immediate;
        }

        var parameters = entry.Served.Function?.Parameters ?? [];
        for (var i = 0; i < parameters.Count; i++)
        {
            record.Arguments.Add(new Protos.Argument { Name = parameters[i], Value = entry.Call[i + 1] });
        }

        return record;
    }

    private static Protos.DeviceTreeProperty Property(DeviceTreeProperty property) => property.Value switch
    {
        DeviceTreeValue.Data data => new() { Name = property.Name, Data = ByteString.CopyFrom(data.Bytes.Span) },
        DeviceTreeValue.References references => new() { Name = property.Name, References = new() { Paths = { references.Paths } } },
        DeviceTreeValue.Conduit => new() { Name = property.Name, Conduit = new() },
        _ => throw new ArgumentOutOfRangeException(nameof(property)),
    };

    private static void SetResults(in Answer answer, Protos.Answer message)
    {
        if (answer.Kind == ResultKind.None)
        {
            message.None = new();
        }
        else if (answer.Beyond.Count == 0)
        {
            var values = message.Values ??= new();
            (values.X0, values.X1, values.X2, values.X3) = (answer.X0, answer.X1, answer.X2, answer.X3);
        }
        else
        {
            message.Masked = new() { Mask = 0xF, Values = { answer.X0, answer.X1, answer.X2, answer.X3 } };
            foreach (var register in answer.Beyond.OrderBy(register => register.Index))
            {
                message.Masked.Mask |= 1u << register.Index;
                message.Masked.Values.Add(register.Value);
            }
        }
    }

    private static void SetEffect(Effect? effect, Protos.Answer message)
    {
        switch (effect)
        {
            case null:
                message.ClearEffect();
                break;
            case Effect.PowerOn on:
                message.PowerOn = new() { Core = on.Core.Value, EntryPoint = on.EntryPoint, ContextId = on.ContextId, IfRefused = (ulong)on.IfRefused };
                break;
            case Effect.PowerOff:
                message.PowerOff = new();
                break;
            case Effect.Standby:
                message.Suspend = new();
                break;
            case Effect.PowerDown down:
                message.Suspend = new() { PowerDown = new() { EntryPoint = down.EntryPoint, ContextId = down.ContextId } };
                break;
            case Effect.SystemEvent system:
                message.SystemEvent = new() { Type = (Protos.SystemEventType)system.Type, Data = { system.Data }, ClearMemory = system.ClearMemory };
                break;
            case Effect.Load load:
                message.Load = Load(load);
                break;
            case Effect.TakeInterrupt take:
                message.TakeInterrupt = new() { Intid = take.Intid, IfRefused = (ulong)take.IfRefused };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(effect));
        }
    }

    private static Protos.Load Load(Effect.Load load)
    {
        var message = new Protos.Load();
        message.Registers.Add(load.Registers.Select(register => new Protos.Register { Index = (uint)register.Index, Value = register.Value }));
        message.System.Add(load.System.Select(register => new Protos.SystemRegisterValue { Register = (Protos.SystemRegister)register.Register, Value = register.Value }));
        if (load.Pc is { } pc)
        {
            message.Pc = pc;
        }

        if (load.Pstate is { } pstate)
        {
            message.Pstate = pstate.Value;
        }

        return message;
    }
}
