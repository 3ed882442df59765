using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Hypercalls.Sdk;

/// <summary>
/// Settings of services, read from JSON. A service takes them by a public constructor with a parameter that is a public class with a
/// public parameterless constructor, init properties and defaults. Beside it that constructor may take an <see cref="IServiceLog"/>.
/// </summary>
public static class Settings
{
    /// <summary>What a service's constructor takes.</summary>
    /// <param name="service">A class that derives from <see cref="Service"/>.</param>
    /// <returns>The class of its settings; null where it takes none.</returns>
    /// <exception cref="SettingsException">It has no constructor that can be used, or more than one that takes settings.</exception>
    public static Type? TypeOf(Type service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return Parameters(service).Select(parameter => parameter.ParameterType).FirstOrDefault(type => type != typeof(IServiceLog));
    }

    /// <summary>Makes a service.</summary>
    /// <param name="service">A class that derives from <see cref="Service"/>.</param>
    /// <param name="members">Its settings; null for the defaults.</param>
    /// <param name="log">Where it writes for the operator; null for nowhere.</param>
    /// <returns>The service.</returns>
    /// <exception cref="SettingsException">It takes no settings, or not these.</exception>
    public static Service Create(Type service, JsonObject? members = null, IServiceLog? log = null)
    {
        var parameters = Parameters(service);
        var type = TypeOf(service);
        if (type is null && members is not null)
        {
            throw new SettingsException("this service takes no settings; leave them away");
        }

        var settings = type is null ? null : Read(type, members ?? []);
        object?[] arguments = [.. parameters.Select(parameter => parameter.ParameterType == typeof(IServiceLog) ? log ?? new ServiceLog(_ => { }) : settings)];
        var constructor = service.GetConstructor([.. parameters.Select(parameter => parameter.ParameterType)])!;
        try
        {
            return (Service)constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, arguments, null);
        }
        catch (ArgumentException e) when (members is not null)
        {
            throw Refused(e, members);
        }
    }

    /// <summary>Reads settings.</summary>
    /// <param name="type">A public class with a public parameterless constructor.</param>
    /// <param name="members">Names as in C#, in camelCase or any case; those left out have their defaults.</param>
    /// <returns>An instance of <paramref name="type"/>.</returns>
    /// <exception cref="SettingsException">A member is unknown or has the wrong type.</exception>
    public static object Read(Type type, JsonObject members)
    {
        ArgumentNullException.ThrowIfNull(members);
        // Of this call alone: the default options would keep a plugin's load context alive.
        var options = Options();
        new SettingsCheck(options).Members(type, members, "");
        try
        {
            return members.Deserialize(type, options)!;
        }
        catch (ArgumentException e)
        {
            throw Refused(e, members);
        }
        catch (JsonException e)
        {
            var sentence = SettingsCheck.Sentence(e);
            throw Find(members, e.Path?.TrimStart('$', '.') ?? "") is var (path, value) ? new(path, value, sentence, e) : new SettingsException(sentence, e);
        }
    }

    private static JsonSerializerOptions Options() => new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        PropertyNameCaseInsensitive = true,
        RespectNullableAnnotations = true,
        Converters =
        {
            new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false),
            new MpidrJson(),
            new FunctionIdJson(),
            new NumberJson<byte>(),
            new NumberJson<ushort>(),
            new NumberJson<uint>(),
            new NumberJson<ulong>(),
            new NumberJson<short>(),
            new NumberJson<int>(),
            new NumberJson<long>(),
        },
    };

    /// <summary>Those of the constructor that takes most of what can be given; none where it takes nothing.</summary>
    private static ParameterInfo[] Parameters(Type service)
    {
        ParameterInfo[][] usable = [.. service.GetConstructors().Select(constructor => constructor.GetParameters()).Where(CanBeGiven)];
        ParameterInfo[][] taking = [.. usable.Where(parameters => parameters.Length > 0)];
        return taking switch
        {
            [var parameters] => parameters,
            [] when usable.Length > 0 => [],
            [] => throw new SettingsException($"{service.Name} has no public constructor that takes nothing, or at most settings (a public class with a public parameterless constructor) and an {nameof(IServiceLog)}"),
            _ => throw new SettingsException($"{service.Name} has {taking.Length} constructors that take settings or a log; leave it one"),
        };
    }

    private static bool CanBeGiven(ParameterInfo[] parameters)
    {
        var logs = parameters.Count(parameter => parameter.ParameterType == typeof(IServiceLog));
        return logs <= 1 && parameters.Length - logs <= 1 && parameters.All(parameter => parameter.ParameterType == typeof(IServiceLog) || IsSettings(parameter.ParameterType));
    }

    private static bool IsSettings(Type type) =>
        type is { IsClass: true, IsAbstract: false, IsVisible: true } && type != typeof(string) && type.GetConstructor(Type.EmptyTypes) is not null;

    /// <summary>The service's own sentence; where it names a member, such as "socId.code", as its parameter, that member.</summary>
    private static SettingsException Refused(ArgumentException refusal, JsonObject members)
    {
        var sentence = refusal.Message.ReplaceLineEndings("\n").Split('\n')[0];
        if (refusal.ParamName is { } parameter && sentence.EndsWith($" (Parameter '{parameter}')", StringComparison.Ordinal))
        {
            sentence = sentence[..^$" (Parameter '{parameter}')".Length];
        }

        sentence = sentence.TrimEnd('.');
        return Find(members, refusal.ParamName ?? "") is var (path, value) ? new(path, value, sentence, refusal) : new(sentence, refusal);
    }

    private static (string Path, JsonNode? Value)? Find(JsonObject members, string path)
    {
        List<string> found = [];
        JsonNode? value = members;
        foreach (var part in path.Split('.'))
        {
            var member = value is JsonObject here ? here.FirstOrDefault(member => member.Key.Equals(part, StringComparison.OrdinalIgnoreCase)) : default;
            if (member.Key is null)
            {
                return null;
            }

            found.Add(member.Key);
            value = member.Value;
        }

        return (string.Join('.', found), value);
    }
}
