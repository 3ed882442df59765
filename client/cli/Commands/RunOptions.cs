using System.CommandLine;
using Hypercalls.Cli.Building;
using Hypercalls.Cli.Calling;
using Hypercalls.Cli.Running;

namespace Hypercalls.Cli.Commands;

/// <summary>All options of run.</summary>
internal sealed class RunOptions
{
    private readonly Option<string?> _name = new("--name") { Description = "The machine's name; by default one of its own. With TLS it is, or begins with, the certificate's name: rack1/guest.", HelpName = "name" };
    private readonly Option<bool> _trace = new("--trace") { Description = "Show each call on a line as it happens." };
    private readonly Option<bool> _table = new("--table") { Description = "Show a table of the calls at the end." };
    private readonly Option<string?> _plugins = new("--plugins") { Description = "Plugin folder of the private daemon.", HelpName = "folder" };
    private readonly Option<bool> _allowShadowed = new("--allow-shadowed") { Description = "Go on although the host's kernel keeps functions that a service insists on; what never arrives is listed by `hypercalls machines`." };

    private RunOptions(Command command)
    {
        Machine = MachineOptions.AddTo(command);
        foreach (var option in (Option[])[_name, _trace, _table, _plugins, _allowShadowed])
        {
            command.Add(option);
        }

        Daemon = DaemonAddress.AddTo(command);
        Services = ServiceOption.AddTo(command, Daemon);
        Calls = CallsOption.AddTo(command, Machine.Kernel, Services.Option, [.. Machine.OfKernels, _table]);
        Attach = AttachOption.AddTo(command, [Machine.Kernel, Calls.Option, Services.Option], [.. Machine.OfKernels, .. Machine.OfEveryGuest, _name, _allowShadowed]);
        Settings = DaemonSettings.AddTo(command, ", for the private daemon");
        Fallbacks = FallbackOptions.AddTo(command);
    }

    public static RunOptions AddTo(Command command) => new(command);

    public MachineOptions Machine { get; }

    public DaemonAddress Daemon { get; }

    public ServiceOption Services { get; }

    public CallsOption Calls { get; }

    public AttachOption Attach { get; }

    public DaemonSettings Settings { get; }

    public FallbackOptions Fallbacks { get; }

    public string? Name(ParseResult parsed) => parsed.GetValue(_name);

    public bool Traces(ParseResult parsed) => parsed.GetValue(_trace);

    public bool ShowsTable(ParseResult parsed) => parsed.GetValue(_table);

    public string? Plugins(ParseResult parsed) => parsed.GetValue(_plugins) is { } folder ? Path.GetFullPath(folder) : null;

    public bool AllowsShadowed(ParseResult parsed) => parsed.GetValue(_allowShadowed) || Machine.Accel.GivesOnlyPsciToTheKernel(parsed);
}
