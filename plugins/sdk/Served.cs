namespace Hypercalls.Sdk;

/// <summary>What became of one call.</summary>
/// <param name="State">The states to commit.</param>
/// <param name="Answer">The answer, its registers extended.</param>
/// <param name="Service">Who served it; null where nobody does.</param>
/// <param name="Function">Which row; null where none, and for attention.</param>
/// <param name="Failure">The service's fault, for the operator.</param>
public readonly record struct Served(MachineState State, Answer Answer, Service? Service, ServedFunction? Function, ServiceFailure? Failure)
{
    /// <summary>What the function lacks: nothing is to be committed, and the call is served again once the host has supplied it. Null where it has answered.</summary>
    public Need? Need { get; init; }

    /// <summary>What the function does outside the machine's turn before it answers: <see cref="ServiceSet.Finish"/>. Nothing is to be committed before. Null where it has answered.</summary>
    public LongWork? Work { get; init; }

    /// <summary>The first of x0 to x17 whose value does not fit into the 32 bits of an SMC32 answer, uncut: the guest never sees its upper half. Null where all fit.</summary>
    public RegisterValue? Cut { get; init; }

    /// <summary>For the operator: what became of events that the function raised; null where there is nothing to say.</summary>
    public string? Note { get; init; }

    /// <summary>x0 by the service's names: SUCCESS, NOT_SUPPORTED, ON_PENDING, or hexadecimal.</summary>
    /// <returns>Empty where no register is written.</returns>
    public string ResultText() => ResultNames.Of(Service?.Statuses, Answer);

    /// <summary>What is done beside registers and memory: "power on 0.0.0.1", "go on at 0x40001000, end interrupt 27", "raise 0x40000001 at core 0.0.0.0".</summary>
    /// <returns>Empty where nothing is.</returns>
    public string EffectText() => Answer is { EndedInterrupts.Count: 0, ReturnedInterrupts.Count: 0, Raises.Count: 0 }
        ? Answer.Then?.ToString() ?? ""
        : string.Join(
            ", ",
            [
                .. Answer.Then is { } effect ? new[] { effect.ToString() } : [],
                .. Answer.EndedInterrupts.Select(intid => $"end interrupt {intid}"),
                .. Answer.ReturnedInterrupts.Select(intid => $"return interrupt {intid}"),
                .. Answer.Raises.Select(raise => raise.ToString()),
            ]);
}

/// <summary>What a step that concerns every service has led to.</summary>
/// <param name="State">The states to go on with.</param>
/// <param name="Failures">Services whose state stayed as it was because they threw.</param>
public readonly record struct Stepped(MachineState State, IReadOnlyList<ServiceFailure> Failures);

/// <summary>What became of an event from outside.</summary>
/// <param name="State">The states to go on with.</param>
/// <param name="Result">In one word.</param>
/// <param name="Text">For the operator.</param>
/// <param name="Failure">The service's fault: the event is refused then.</param>
public readonly record struct Raised(MachineState State, RaiseResult Result, string Text, ServiceFailure? Failure);

/// <summary>A fault of a service.</summary>
/// <param name="Service">Which.</param>
/// <param name="During">The function's name, or the step.</param>
/// <param name="Exception">What it threw.</param>
public sealed record ServiceFailure(Service Service, string During, Exception Exception)
{
    /// <summary>One readable sentence.</summary>
    /// <returns>Service, function, exception and the line of the service's code.</returns>
    public override string ToString()
    {
        var line = Exception.StackTrace?.Split('\n').FirstOrDefault()?.Trim();
        return PrintableText.Of($"{Service.Name} failed in {During}: {Exception.GetType().Name}: {Exception.Message}{(line is null ? "" : $" ({line})")}");
    }
}
