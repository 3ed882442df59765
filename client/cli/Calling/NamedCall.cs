using Grpc.Core;
using Hypercalls.Cli.Output;
using Hypercalls.Hosts.Caller;
using Hypercalls.Protos;

namespace Hypercalls.Cli.Calling;

/// <summary>A call with its identifier and with its function's name, as the daemon's tables have them.</summary>
/// <param name="Script">As it was written.</param>
/// <param name="Conduit">SMC or HVC.</param>
/// <param name="Id">w0.</param>
/// <param name="Name">The function's, else the identifier.</param>
internal sealed record NamedCall(ScriptedCall Script, Conduit Conduit, uint Id, string Name)
{
    public CallerCall Call => new(Conduit, Script.Immediate, [new(Id), .. Script.Arguments.Select(argument => argument.Value)]);

    /// <summary>hvc#1 ECHO(1, 'text').</summary>
    public override string ToString() => Printable.Line($"{Script.Prefix}{Name}({string.Join(", ", Script.Arguments.Select(argument => argument.Text))})");

    /// <summary>Has the daemon say what each function is.</summary>
    /// <exception cref="CliException">No table knows a name; with those that are like it.</exception>
    public static async Task<IReadOnlyList<NamedCall>> ResolveAsync(IReadOnlyList<ScriptedCall> script, Conduit conduit, CallInvoker daemon, CancellationToken cancelled)
    {
        var register = new KernelRegister.KernelRegisterClient(daemon);
        var known = new Dictionary<(string, Conduit, ushort), RegisterAnswer>();
        var calls = new List<NamedCall>();
        foreach (var call in script)
        {
            var by = call.Conduit == Conduit.Unspecified ? conduit : call.Conduit;
            var key = (call.Function, by, call.Immediate);
            if (!known.TryGetValue(key, out var answer))
            {
                known[key] = answer = await AskAsync(register, call, by, cancelled);
            }

            calls.Add(new(call, by, answer.W0, NameOf(call, answer)));
        }

        return calls;
    }

    /// <summary>Where an immediate leads to nobody, the name is the caller's alone.</summary>
    private static string NameOf(ScriptedCall call, RegisterAnswer answer) =>
        answer.Function.Length > 0 ? answer.Function
        : char.IsAsciiDigit(call.Function[0]) ? CallLine.Id(answer.W0)
        : call.Function;

    private static async Task<RegisterAnswer> AskAsync(KernelRegister.KernelRegisterClient register, ScriptedCall call, Conduit conduit, CancellationToken cancelled)
    {
        const string Field = "name: ";
        var query = new RegisterQuery { Conduit = conduit, Imm = call.Immediate, ExecutionState = ExecutionState.Aarch64 };
        try
        {
            if (FunctionArgument.TryNumber(call.Function, 32, "a function ID", out var id))
            {
                query.W0 = (uint)id;
            }
            else
            {
                query.Name = call.Function;
            }

            return await register.GetAsync(query, cancellationToken: cancelled);
        }
        catch (CliException e)
        {
            throw call.Fault(e.Message);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
        {
            var detail = Printable.Line(e.Status.Detail);
            throw call.Fault(detail.StartsWith(Field, StringComparison.Ordinal) ? detail[Field.Length..] : detail);
        }
    }
}
