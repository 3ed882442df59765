using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Hypercalls.Protos.Tls;

/// <summary>What a certificate's holder is to a daemon.</summary>
public enum Role
{
    /// <summary>The daemon itself.</summary>
    Daemon,

    /// <summary>A machine whose vCPU hosts attach guests: it reaches its own ones alone.</summary>
    Host,

    /// <summary>A person or tool that looks at every guest and calls on every guest, and attaches none.</summary>
    Operator,
}

/// <summary>Whom a certificate names, by its subject: the role as the one OU, the name as the one CN.</summary>
/// <param name="Role">OU=daemon, host or operator.</param>
/// <param name="Name">CN: letters, digits, '.', '-' and '_', at most <see cref="LongestName"/> characters, the first one a letter or digit.</param>
public sealed record Party(Role Role, string Name)
{
    /// <summary>What a CN has room for (RFC 5280, ub-common-name), in characters.</summary>
    public const int LongestName = 64;

    /// <summary>Between a host's name and the rest of its machines' names.</summary>
    public const char Separator = '/';

    private const string CommonName = "2.5.4.3";
    private const string OrganizationalUnit = "2.5.4.11";

    /// <summary>The OU.</summary>
    public string Unit => UnitOf(Role);

    /// <summary>Whether a name can be that of a party: it goes into logs, and must not hold the separator.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName
        && char.IsAsciiLetterOrDigit(text[0])
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    /// <summary>Whom a certificate names; false where it has not exactly one OU of the three and one CN that is a name.</summary>
    public static bool TryOf(X509Certificate2 certificate, [NotNullWhen(true)] out Party? party)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        party = null;
        string[] units, names;
        try
        {
            units = [.. Elements(certificate.SubjectName, OrganizationalUnit)];
            names = [.. Elements(certificate.SubjectName, CommonName)];
        }
        catch (CryptographicException)
        {
            // A stranger may put there what no decoder takes.
            return false;
        }

        party = units is [var unit] && names is [var name] && IsName(name) && Array.FindIndex(Enum.GetValues<Role>(), role => UnitOf(role) == unit) is var role and >= 0
            ? new(Enum.GetValues<Role>()[role], name)
            : null;
        return party is not null;
    }

    /// <summary>The subject of its certificates.</summary>
    public X500DistinguishedName ToSubject()
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(Name);
        subject.AddOrganizationalUnitName(Unit);
        return subject.Build();
    }

    /// <summary>Whether a machine's name is this party's to give: its own, or one that begins with it and the separator.</summary>
    public bool Owns(string machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return machine == Name || (machine.StartsWith(Name, StringComparison.Ordinal) && machine.Length > Name.Length + 1 && machine[Name.Length] == Separator);
    }

    /// <summary>As in "host rack1".</summary>
    public override string ToString() => $"{Unit} {Name}";

    private static string UnitOf(Role role) => role switch
    {
        Role.Daemon => "daemon",
        Role.Host => "host",
        _ => "operator",
    };

    private static IEnumerable<string> Elements(X500DistinguishedName subject, string type)
    {
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            // Several elements in one part are legal and unheard of: such a subject names nobody.
            if (part.HasMultipleElements)
            {
                yield return "";
            }
            else if (part.GetSingleElementType().Value == type)
            {
                yield return part.GetSingleElementValue() ?? "";
            }
        }
    }
}
