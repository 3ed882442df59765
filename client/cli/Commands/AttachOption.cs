using System.CommandLine;
using System.Globalization;
using Hypercalls.Qemu;

namespace Hypercalls.Cli.Commands;

/// <summary>run --attach: the run whose host process was killed, named by its folder.</summary>
internal sealed class AttachOption
{
    private readonly Option<string?> _attach = new("--attach")
    {
        Description = "Take over a run whose host process was killed, with the calls that nobody answered. Without a folder: list those that can be.",
        HelpName = "folder",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private AttachOption()
    {
    }

    /// <summary>Adds it to a command that otherwise starts a guest by one of these, and that takes the run with the options it was started with.</summary>
    public static AttachOption AddTo(Command command, IReadOnlyList<Option> guests, params IReadOnlyList<Option> ofTheMachine)
    {
        var attach = new AttachOption();
        command.Add(attach._attach);
        command.Validators.Add(result =>
        {
            if (result.GetResult(attach._attach) is null)
            {
                if (guests.All(guest => result.GetResult(guest) is null))
                {
                    result.AddError("--kernel: name the file to boot; or give calls to be made without one, with --calls; or name a run to take over, with --attach.");
                }

                return;
            }

            foreach (var option in guests.Concat(ofTheMachine).Where(option => result.GetResult(option) is { Implicit: false }))
            {
                result.AddError($"{option.Name}: a run that is taken over keeps what it was started with.");
            }
        });
        return attach;
    }

    public bool IsGiven(ParseResult parsed) => parsed.GetResult(_attach) is not null;

    /// <summary>The run, held.</summary>
    /// <exception cref="CliException">None is named, or there is none such: with a list of those that there are.</exception>
    public QemuRun Open(ParseResult parsed)
    {
        if (parsed.GetValue(_attach) is not { Length: > 0 } folder)
        {
            throw new CliException(Attachable("Name the folder of the run to take over."), ExitCode.BadInput);
        }

        return Directory.Exists(folder) ? QemuRun.Open(folder) : throw new CliException(Attachable($"There is no folder {folder}."), ExitCode.BadInput);
    }

    private static string Attachable(string sentence)
    {
        var runs = QemuRun.All();
        try
        {
            return runs.Count == 0
                ? $"{sentence} No QEMU of this user runs without its host: there is nothing to take over."
                : string.Join('\n', [sentence, .. runs.Select(Line)]);
        }
        finally
        {
            foreach (var run in runs)
            {
                run.Dispose();
            }
        }
    }

    private static string Line(QemuRun run) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {run.Folder}  {Output.Printable.Line(Running.KeptRun.Of(run).Name)}, QEMU process {run.QemuProcess}, since {run.Started.ToLocalTime():yyyy-MM-dd HH:mm:ss}");
}
