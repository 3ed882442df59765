using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hypercalls.Daemon.Loading;

/// <summary>One value set on the command line: PSCI.version=1.0.</summary>
/// <param name="Service">The first part of its path.</param>
/// <param name="Path">The parts behind it.</param>
/// <param name="Text">The value as it was typed.</param>
internal sealed record SetOption(string Service, IReadOnlyList<string> Path, string Text)
{
    public string Member => string.Join('.', Path);

    /// <summary>JSON where it is JSON, else a text.</summary>
    public JsonNode? Value
    {
        get
        {
            try
            {
                return SettingsFile.Parse(Encoding.UTF8.GetBytes(Text));
            }
            catch (JsonException)
            {
                return JsonValue.Create(Text);
            }
        }
    }

    /// <summary>Reads what stands behind --set.</summary>
    /// <exception cref="ConfigurationException">It has no path of a service and a member, or no value.</exception>
    public static SetOption Parse(string option)
    {
        var equals = option.IndexOf('=', StringComparison.Ordinal);
        string[] path = equals < 0 ? [] : option[..equals].Split('.');
        return path.Length >= 2 && path.All(part => part.Length > 0)
            ? new(path[0], path[1..], option[(equals + 1)..])
            : throw new ConfigurationException($"--set {option} has no service, member and value. Write it as PSCI.version=1.0.");
    }

    /// <summary>Whether a member, such as "socId.code", lies in what this sets.</summary>
    public bool Sets(string member) => IsWithin(member, Member);

    /// <summary>Whether what this sets lies in a member.</summary>
    public bool IsWithin(string member) => IsWithin(Member, member);

    public override string ToString() => $"--set {Service}.{Member}={Text}";

    private static bool IsWithin(string member, string of) =>
        member.StartsWith(of, StringComparison.OrdinalIgnoreCase) && (member.Length == of.Length || of.Length == 0 || member[of.Length] is '.' or '[');
}
