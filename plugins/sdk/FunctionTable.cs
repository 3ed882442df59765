using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Hypercalls.Sdk;

/// <summary>The code of a function: a pure step from a call and a state to an answer and perhaps a new state.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
/// <param name="call">The call.</param>
/// <param name="state">The state it finds.</param>
/// <returns>An answer, or a new state and an answer.</returns>
public delegate Outcome<TState> Serve<TState>(in Hypercall call, TState state)
    where TState : class;

/// <summary>The code of a function that neither reads nor changes state.</summary>
/// <param name="call">The call.</param>
/// <returns>The answer.</returns>
public delegate Answer ServeStateless(in Hypercall call);

/// <summary>What a service serves: one row per function, written once, to lay beside the specification.</summary>
/// <typeparam name="TState">The service's state.</typeparam>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "The specifications call it a table.")]
public sealed class FunctionTable<TState> : IEnumerable<ServedFunction>
    where TState : class
{
    private readonly List<ServedFunction> _rows = [];
    private readonly Dictionary<FunctionId, ServedFunction> _byId = [];
    private readonly Version? _version;

    /// <summary>A table of which every row is served.</summary>
    public FunctionTable()
    {
    }

    /// <summary>The table of one version of a specification.</summary>
    /// <param name="version">Rows that came later (<see cref="FunctionTraits.Since"/>) are left out.</param>
    public FunctionTable(Version version) => _version = version;

    /// <summary>A function under one identifier.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint id, string name, Serve<TState> code, params ReadOnlySpan<string> parameters) => Add([new(id)], name, code, default, parameters);

    /// <summary>A function under one identifier, with traits.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="traits">What else is to be said of it.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint id, string name, Serve<TState> code, FunctionTraits traits, params ReadOnlySpan<string> parameters) => Add([new(id)], name, code, traits, parameters);

    /// <summary>A function under its SMC32 and SMC64 identifiers.</summary>
    /// <param name="smc32">With bit 30 clear.</param>
    /// <param name="smc64">The same with bit 30 set.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint smc32, uint smc64, string name, Serve<TState> code, params ReadOnlySpan<string> parameters) => Add([new(smc32), new(smc64)], name, code, default, parameters);

    /// <summary>A function under its SMC32 and SMC64 identifiers, with traits.</summary>
    /// <param name="smc32">With bit 30 clear.</param>
    /// <param name="smc64">The same with bit 30 set.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="traits">What else is to be said of it.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint smc32, uint smc64, string name, Serve<TState> code, FunctionTraits traits, params ReadOnlySpan<string> parameters) => Add([new(smc32), new(smc64)], name, code, traits, parameters);

    /// <summary>A stateless function under one identifier.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint id, string name, ServeStateless code, params ReadOnlySpan<string> parameters) => Add(id, name, Stateless(code), parameters);

    /// <summary>A stateless function under one identifier, with traits.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="traits">What else is to be said of it.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint id, string name, ServeStateless code, FunctionTraits traits, params ReadOnlySpan<string> parameters) => Add(id, name, Stateless(code), traits, parameters);

    /// <summary>A stateless function under its SMC32 and SMC64 identifiers.</summary>
    /// <param name="smc32">With bit 30 clear.</param>
    /// <param name="smc64">The same with bit 30 set.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint smc32, uint smc64, string name, ServeStateless code, params ReadOnlySpan<string> parameters) => Add(smc32, smc64, name, Stateless(code), parameters);

    /// <summary>A stateless function under its SMC32 and SMC64 identifiers, with traits.</summary>
    /// <param name="smc32">With bit 30 clear.</param>
    /// <param name="smc64">The same with bit 30 set.</param>
    /// <param name="name">The specification's name.</param>
    /// <param name="code">What it does.</param>
    /// <param name="traits">What else is to be said of it.</param>
    /// <param name="parameters">Names of x1 upwards.</param>
    public void Add(uint smc32, uint smc64, string name, ServeStateless code, FunctionTraits traits, params ReadOnlySpan<string> parameters) => Add(smc32, smc64, name, Stateless(code), traits, parameters);

    /// <summary>The row of an identifier.</summary>
    /// <param name="id">Any identifier.</param>
    /// <param name="function">The row.</param>
    /// <returns>False where the table has none.</returns>
    public bool TryGet(FunctionId id, [NotNullWhen(true)] out ServedFunction? function) => _byId.TryGetValue(id, out function);

    /// <inheritdoc/>
    public IEnumerator<ServedFunction> GetEnumerator() => _rows.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static Serve<TState> Stateless(ServeStateless code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return (in call, _) => code(call);
    }

    private void Add(ValueArray<FunctionId> ids, string name, Serve<TState> code, FunctionTraits traits, ReadOnlySpan<string> parameters)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(code);
        if (ids.Count == 2 && (ids[0].IsSmc64 || ids[1].Value != (ids[0].Value | 1u << 30)))
        {
            throw new ArgumentException($"{name}: {ids[0]} and {ids[1]} are not the SMC32 and SMC64 twins of one function.", nameof(ids));
        }

        if (_version is not null && traits.Introduced > _version)
        {
            return;
        }

        var row = new ServedFunction<TState>(ids, name, code, traits, [.. parameters]);
        foreach (var id in ids)
        {
            if (id.HasReservedBits || id.HasSveHint)
            {
                throw new ArgumentException($"{name}: {id} has bits 23:16 set, which no fast function has.", nameof(ids));
            }

            if (!_byId.TryAdd(id, row))
            {
                throw new ArgumentException($"{id} stands twice in the table: {_byId[id].Name} and {name}.", nameof(ids));
            }
        }

        _rows.Add(row);
    }
}
