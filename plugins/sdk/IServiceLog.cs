namespace Hypercalls.Sdk;

/// <summary>Where a service writes for the operator: a parameter of its constructor. Machine, core and function stand beside each line by themselves. Lines are for people; nothing that matters may be told by them alone.</summary>
public interface IServiceLog
{
    /// <summary>For whoever looks for a fault; not shown by default.</summary>
    /// <param name="text">A line.</param>
    void Debug(string text);

    /// <summary>Something the operator may want to know.</summary>
    /// <param name="text">A line.</param>
    void Information(string text);

    /// <summary>Something the operator should look at.</summary>
    /// <param name="text">A line.</param>
    void Warning(string text);
}

/// <summary>A line of a service's log.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">As the service gave it: a guest may have had its hand in it.</param>
/// <param name="Service">Who wrote it; empty before it is served to anyone.</param>
/// <param name="Machine">For which machine; empty where for none.</param>
/// <param name="Core">For a call or a stop of which core; null elsewhere.</param>
/// <param name="During">The function, or the step.</param>
public sealed record ServiceLogEntry(ServiceLogLevel Level, string Text, string Service, string Machine, Mpidr? Core, string During)
{
    /// <summary>core 0.0.0.1, ACME_SEAL: sealed 64 bytes.</summary>
    /// <returns>One printable line, without service and machine.</returns>
    public override string ToString() => PrintableText.Of($"{(Core is { } core ? $"core {core}, " : "")}{(During.Length > 0 ? $"{During}: " : "")}{Text}");
}

/// <summary>How much a line matters.</summary>
public enum ServiceLogLevel : byte
{
    /// <summary>For whoever looks for a fault.</summary>
    Debug = 1,

    /// <summary>The operator may want to know.</summary>
    Information = 2,

    /// <summary>The operator should look at it.</summary>
    Warning = 3,
}

/// <summary>A log that adds to each line what runs on this thread.</summary>
/// <param name="keep">Takes the lines, from any thread.</param>
public sealed class ServiceLog(Action<ServiceLogEntry> keep) : IServiceLog
{
    /// <inheritdoc/>
    public void Debug(string text) => Keep(ServiceLogLevel.Debug, text);

    /// <inheritdoc/>
    public void Information(string text) => Keep(ServiceLogLevel.Information, text);

    /// <inheritdoc/>
    public void Warning(string text) => Keep(ServiceLogLevel.Warning, text);

    private void Keep(ServiceLogLevel level, string text)
    {
        var (service, machine, core, during) = RunningService.OnThisThread;
        keep(new(level, text ?? "", service, machine, core, during));
    }
}
