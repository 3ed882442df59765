using System.Text.Json.Nodes;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Loading;

/// <summary>What the operator sets, for services and for owners of functions: the settings file, and --set over it. Names are compared in any case.</summary>
internal sealed class ServiceSettings
{
    /// <summary>The member of the file that is no service's.</summary>
    private const string OwnersName = "owners";

    private const string OwnerRemedy = "Remove it from the settings: what a service says of its owner stands.";

    private const int LongestShown = 100;

    private readonly string? _file;
    private readonly JsonObject _members;
    private readonly SetOption[] _set;
    private readonly List<(string Service, string Json, string Origin)> _taken = [];
    private readonly List<string> _leftOut;
    private readonly ConfigurationException? _unreadable;

    private ServiceSettings(string? file, JsonObject members, SetOption[] set, ConfigurationException? unreadable = null) =>
        (_file, _members, _set, _unreadable, _leftOut) = (file, members, set, unreadable, unreadable is null ? [] : [$"{unreadable.Message} Services that take settings were left out."]);

    /// <summary>Which service, or "owners", got what from where.</summary>
    public IReadOnlyList<(string Service, string Json, string Origin)> Taken => _taken;

    /// <summary>What was left out that is no service's, where that is no reason not to start: a sentence each.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>Reads the file, if one is named, and the options.</summary>
    /// <param name="file">Its path; null for none.</param>
    /// <param name="set">As typed behind --set.</param>
    /// <param name="keepGoing">A file that cannot be read is the fault of every service that takes settings, and of no other.</param>
    /// <exception cref="ConfigurationException">One of them is malformed.</exception>
    public static ServiceSettings Read(string? file, IEnumerable<string> set, bool keepGoing = false)
    {
        SetOption[] options = [.. set.Select(SetOption.Parse)];
        try
        {
            return new(file, file is null ? new(SettingsFile.NodeOptions) : SettingsFile.Read(file), options);
        }
        catch (ConfigurationException e) when (keepGoing)
        {
            return new(file, new(SettingsFile.NodeOptions), options, e);
        }
    }

    /// <summary>A service, with its settings where it has any.</summary>
    /// <param name="type">Its class.</param>
    /// <param name="log">Where it writes for the operator.</param>
    /// <param name="named">Told the service's name before its settings are looked at.</param>
    /// <exception cref="ConfigurationException">It cannot take them.</exception>
    public Service Create(Type type, IServiceLog log, Action<string>? named = null)
    {
        // Its name, by which it is found, is the service's own.
        var service = Settings.Create(type, log: log);
        named?.Invoke(service.Name);
        if (_unreadable is not null && Settings.TypeOf(type) is not null)
        {
            // What it was to be set to nobody knows.
            throw new ConfigurationException(_unreadable.Message, _unreadable);
        }

        return Names.Contains(service.Name) && !Is(service.Name, OwnersName) ? Take(service.Name, members => Settings.Create(type, members, log)) : service;
    }

    /// <summary>What is said of owners of functions.</summary>
    /// <exception cref="ConfigurationException">It cannot be said.</exception>
    public IReadOnlyList<OwnerIdentity> Owners() => Names.Contains(OwnersName)
        ? [.. Take(OwnersName, members => (OwnerSettings)Settings.Read(typeof(OwnerSettings), members)).Said.Select(Identity)]
        : [];

    /// <summary>Adds what is said of owners of functions to what services serve.</summary>
    /// <param name="services">What is served.</param>
    /// <param name="keepGoing">What cannot be said is left out.</param>
    /// <exception cref="ConfigurationException">It cannot be said, or a service says something else.</exception>
    public ServiceSet WithOwners(ServiceSet services, bool keepGoing)
    {
        try
        {
            var owners = Owners();
            return owners.Count == 0 ? services : new(services.Services, owners);
        }
        catch (ServiceConflictException e) when (!keepGoing)
        {
            throw new ConfigurationException($"{e.Message} {OwnerRemedy}", e);
        }
        catch (Exception e) when (keepGoing && e is ConfigurationException or ServiceConflictException)
        {
            _leftOut.Add(e is ServiceConflictException ? $"{e.Message} {OwnerRemedy}" : e.Message);
            return services;
        }
    }

    /// <summary>Every setting is some service's.</summary>
    /// <exception cref="ConfigurationException">A name is no service's, and no plugin that was left out may have been meant.</exception>
    public void CheckAllTaken(IReadOnlyList<LoadedPlugin> plugins, bool keepGoing)
    {
        if (Untaken() is not [var (name, origin), ..] || (keepGoing && plugins.Any(plugin => plugin.Failure is not null)))
        {
            return;
        }

        string[] services = [.. plugins.SelectMany(plugin => plugin.Services).Select(service => service.Name)];
        throw new ConfigurationException($"{origin}: no service is named {name}; " + ClosestNames.To(name, [.. services, OwnersName]) switch
        {
            [] => $"there are {string.Join(", ", services)}.",
            var closest => $"did you mean {string.Join(" or ", closest)}?",
        });
    }

    /// <summary>Names that no service has, with where they stand.</summary>
    public IReadOnlyList<(string Name, string Origin)> Untaken() =>
    [
        .. Names.Where(name => !Is(name, OwnersName) && !_taken.Any(taken => Is(taken.Service, name))).Select(name => (name, Origins(name)))
    ];

    private HashSet<string> Names => new([.. _members.Select(member => member.Key), .. _set.Select(set => set.Service)], StringComparer.OrdinalIgnoreCase);

    private static bool Is(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string Shown(JsonNode? value)
    {
        var json = value?.ToJsonString() ?? "null";
        return json.Length <= LongestShown ? json : json[..LongestShown] + "…";
    }

    private OwnerIdentity Identity((string Member, OwningEntity Owner, OwnerSetting Setting) said)
    {
        var (uid, revision) = (said.Setting.Uid, said.Setting.Revision);
        if (revision is { Build: >= 0 })
        {
            throw Fault(OwnersName, $"{said.Member}.revision", revision.ToString(), "a revision has a major and a minor number alone");
        }

        try
        {
            return new(said.Owner, uid, revision is null ? null : new OwnerRevision((uint)revision.Major, (uint)revision.Minor));
        }
        catch (ArgumentException e)
        {
            throw Fault(OwnersName, $"{said.Member}.uid", uid.ToString(), e.Message.Split(" (Parameter ")[0], e);
        }
    }

    private T Take<T>(string name, Func<JsonObject, T> read)
    {
        var texts = new HashSet<SetOption>();
        while (true)
        {
            try
            {
                var members = Merged(name, texts);
                var made = read(members);
                if (!_taken.Any(taken => Is(taken.Service, name)))
                {
                    _taken.Add((name, members.ToJsonString(), Origins(name)));
                }

                return made;
            }
            catch (SettingsException e)
            {
                // 1.0 is a number in JSON, and may have been meant as a text.
                if (e.InnerException is ArgumentException || Array.FindLast(_set, set => set.Value is JsonValue && Is(set.Service, name) && Is(set.Member, e.Path)) is not { } typed || !texts.Add(typed))
                {
                    throw Fault(name, e.Path, e.Value, e.Message, e);
                }
            }
        }
    }

    /// <summary>The file's members of a service, with what --set puts over them.</summary>
    private JsonObject Merged(string name, HashSet<SetOption> texts)
    {
        var given = _members[name];
        if (given is not JsonObject && _members.ContainsKey(name))
        {
            throw new ConfigurationException($"{_file}: {name} = {Shown(given)}: give an object of its settings.");
        }

        var members = given?.DeepClone().AsObject() ?? new(SettingsFile.NodeOptions);
        foreach (var set in _set.Where(set => Is(set.Service, name)))
        {
            Put(members, set, texts.Contains(set) ? JsonValue.Create(set.Text) : set.Value);
        }

        return members;
    }

    private static void Put(JsonObject members, SetOption set, JsonNode? value)
    {
        foreach (var part in set.Path.SkipLast(1))
        {
            members[part] ??= new JsonObject(SettingsFile.NodeOptions);
            members = members[part] as JsonObject ?? throw new ConfigurationException($"{set}: {part} is {Shown(members[part])}, which has no members; set it as a whole.");
        }

        members[set.Path[^1]] = value;
    }

    private ConfigurationException Fault(string service, string path, JsonNode? value, string problem, Exception? cause = null)
    {
        var end = problem.EndsWith('?') ? "" : ".";
        var typed = path.Length == 0 ? null : Array.FindLast(_set, set => Is(set.Service, service) && set.Sets(path));
        return new(
            path.Length == 0 ? $"{Origins(service)}: {service}: {problem}{end}"
            : typed is not null && Is(typed.Member, path) ? $"{typed}: {problem}{end}"
            : $"{typed?.ToString() ?? Origins(service, path)}: {service}.{path} = {Shown(value)}: {problem}{end}",
            cause);
    }

    private string Origins(string service, string path = "") => string.Join(
        " and ",
        _set.Where(set => Is(set.Service, service) && set.IsWithin(path)).Select(set => set.ToString()).Prepend(_members.ContainsKey(service) ? _file : null).OfType<string>());
}
