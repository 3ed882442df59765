using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Dispatch;

/// <summary>One call as the watchers see it.</summary>
internal sealed record CallEntry(
    DateTimeOffset Time, string Machine, Mpidr Core, int CoreNumber, ushort? Immediate, Hypercall Call, Served Served, ExitHead Head, TimeSpan Duration, bool FellBack, string? Note);
