namespace Hypercalls.Sdk;

/// <summary>One row of a function table: a function of a specification, under one or two identifiers.</summary>
public abstract class ServedFunction
{
    private protected ServedFunction(ValueArray<FunctionId> ids, string name, FunctionTraits traits, ValueArray<string> parameters)
    {
        Ids = ids;
        Name = name;
        Traits = traits;
        Parameters = parameters;
    }

    /// <summary>Its identifiers: one, or the SMC32 and SMC64 twins.</summary>
    public ValueArray<FunctionId> Ids { get; }

    /// <summary>The specification's name, such as CPU_ON.</summary>
    public string Name { get; }

    /// <summary>What else the row says.</summary>
    public FunctionTraits Traits { get; }

    /// <summary>The specification's names of x1 upwards.</summary>
    public ValueArray<string> Parameters { get; }

    internal abstract Rendered Serve(in Hypercall call, object state);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({string.Join(", ", Ids)})";
}

internal sealed class ServedFunction<TState>(
    ValueArray<FunctionId> ids, string name, Serve<TState> code, FunctionTraits traits, ValueArray<string> parameters)
    : ServedFunction(ids, name, traits, parameters)
    where TState : class
{
    internal override Rendered Serve(in Hypercall call, object state)
    {
        var outcome = code(call, (TState)state);
        return new(outcome.State, outcome.Answer, outcome.More);
    }
}
