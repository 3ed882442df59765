using System.Runtime.CompilerServices;

namespace Hypercalls.Daemon;

/// <summary>Says aloud what nobody looks at: a task of the daemon that failed and whose failure was dropped.</summary>
internal static class UnobservedExceptions
{
    [ModuleInitializer]
    internal static void Watch() => TaskScheduler.UnobservedTaskException += (_, task) =>
    {
        if (task.Exception.ToString().Contains("Hypercalls.Daemon", StringComparison.Ordinal))
        {
            Console.Error.WriteLine($"fail: nobody has looked at: {task.Exception.ToString().ReplaceLineEndings(" ")}");
        }
    };
}
