using System.CommandLine;
using System.Net;
using Hypercalls.Cli.Certificates;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Cli.Commands;

/// <summary>hypercalls cert: a CA for development, and the folders that --tls takes.</summary>
internal static class CertCommand
{
    private const int MostDays = 36500;

    public static Command Create() => new("cert", "Make certificates for daemons and hosts on different machines: a CA, then a folder for --tls for each party.")
    {
        Authority(),
        Daemon(),
        Client(Role.Host, "For a machine that runs guests: it attaches machines named NAME or NAME/…, and reaches those alone.", folder =>
            $"Copy that folder to the machine, then: hypercalls run --daemon https://DAEMON:7433 --tls {folder} --kernel Image"),
        Client(Role.Operator, "For a person or tool that looks at every machine and calls on it, and attaches none.", folder =>
            $"Next: hypercalls machines --daemon https://DAEMON:7433 --tls {folder}"),
    };

    private static Command Authority()
    {
        var (dir, days, force) = (Dir(), Days(3650), Force("the CA: what it has issued is refused from then on"));
        var command = new Command("ca", "The CA itself. Whoever has its key makes certificates that the daemon takes: keep it.") { dir, days, force };
        command.SetAction(parsed =>
        {
            using var authority = CertificateAuthority.Create(DateTimeOffset.UtcNow, Validity(parsed, days));
            var written = new AuthorityFolder(parsed.GetValue(dir)!).Write(authority, parsed.GetValue(force));
            Console.WriteLine($"Wrote {written}: ca.pem and ca-key.pem, until {CertificateFault.Time(authority.Certificate.NotAfter)}. The key stays here.");
            Console.WriteLine("Next: hypercalls cert daemon NAME… with each name and address that hosts reach the daemon by.");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Daemon()
    {
        var names = new Argument<string[]>("names") { Description = "Host names and IP addresses that clients reach it by.", Arity = ArgumentArity.OneOrMore };
        var (dir, days, force) = (Dir(), Days(365), Force("what is there"));
        var command = new Command("daemon", "For the daemon.") { names, dir, days, force };
        command.SetAction(parsed =>
        {
            var given = parsed.GetValue(names)!;
            var wrong = given.FirstOrDefault(name => !IPAddress.TryParse(name, out _) && (Uri.CheckHostName(name) != UriHostNameType.Dns || !name.All(char.IsAscii)));
            if (wrong is not null)
            {
                throw new CliException($"{wrong} is no host name and no IP address.", ExitCode.BadInput);
            }

            // The name is for people: what clients compare are the alternatives.
            var written = Issue(parsed, new(Role.Daemon, Party.IsName(given[0]) ? given[0] : "daemon"), given, dir, days, force);
            Console.WriteLine($"Next: hypercalls daemon --listen 0.0.0.0:7433 --tls {written}");
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Client(Role role, string description, Func<string, string> next)
    {
        var name = new Argument<string>("name") { Description = $"Letters, digits, '.', '-' and '_', at most {Party.LongestName}." };
        var (dir, days, force) = (Dir(), Days(365), Force("what is there"));
        var command = new Command(new Party(role, "").Unit, description) { name, dir, days, force };
        command.SetAction(parsed =>
        {
            var given = parsed.GetRequiredValue(name);
            if (!Party.IsName(given))
            {
                throw new CliException($"{given} is no name: letters, digits, '.', '-' and '_', at most {Party.LongestName}, the first one a letter or digit.", ExitCode.BadInput);
            }

            Console.WriteLine(next(Issue(parsed, new(role, given), [], dir, days, force)));
            return ExitCode.Done;
        });
        return command;
    }

    private static string Issue(ParseResult parsed, Party party, string[] names, Option<string> dir, Option<int> days, Option<bool> force)
    {
        var folder = new AuthorityFolder(parsed.GetValue(dir)!);
        using var authority = folder.Read();
        var (now, validity) = (DateTimeOffset.UtcNow, Validity(parsed, days));
        if (now + validity > authority.Certificate.NotAfter)
        {
            throw new CliException($"--days {parsed.GetValue(days)} goes past the end of the CA, {CertificateFault.Time(authority.Certificate.NotAfter)}.", ExitCode.BadInput);
        }

        using var certificate = authority.Issue(party, names, now, validity);
        var written = folder.Write(authority, party, certificate, parsed.GetValue(force));
        Console.WriteLine($"Wrote {written}: ca.pem, cert.pem and key.pem of {party}{(names.Length > 0 ? $", good for {string.Join(", ", names)}," : "")} until {CertificateFault.Time(certificate.NotAfter)}.");
        return written;
    }

    private static TimeSpan Validity(ParseResult parsed, Option<int> days) => TimeSpan.FromDays(parsed.GetValue(days));

    private static Option<string> Dir() => new("--dir") { Description = "Where the CA and the folders are.", HelpName = "folder", DefaultValueFactory = _ => "tls" };

    private static Option<bool> Force(string what) => new("--force") { Description = $"Replace {what}." };

    private static Option<int> Days(int usual)
    {
        var days = new Option<int>("--days") { Description = "How long it is valid.", HelpName = "n", DefaultValueFactory = _ => usual };
        days.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > MostDays)
            {
                result.AddError($"--days: give 1 to {MostDays}.");
            }
        });
        return days;
    }
}
