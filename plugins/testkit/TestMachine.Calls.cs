using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>What stands between a call and its answer: memory and registers that the host supplies, long functions.</summary>
public sealed partial class TestMachine
{
    /// <summary>What each core's last answer wrote over.</summary>
    private readonly Dictionary<Mpidr, List<MemoryWrite>> _overwritten = [];
    private RunningService? _running;

    /// <summary>Guest memory: functions that ask for it get it from here, and the writes of answers go here.</summary>
    public TestMemory Memory => field ??= new(() => Description);

    /// <summary>What happens while the next long function works, outside the machine's turn: calls of other cores, reports. Done once.</summary>
    public Action? Meanwhile { get; set; }

    /// <summary>A service goes on with a state that was saved, by itself or by an earlier version.</summary>
    /// <param name="json">As <see cref="StateOf(string)"/> gave it.</param>
    /// <param name="service">Its name; null for the only one.</param>
    /// <exception cref="StateException">It is no state of this service.</exception>
    /// <exception cref="InvalidOperationException">No service has that name; or none was named, and there are several.</exception>
    public void Restore(string json, string? service = null)
    {
        var restored = Services.Services.Single(candidate => service is null || candidate.Name == service);
        _state = Services.Restore(_state, restored, json);
    }

    /// <summary>All that became of the last call.</summary>
    internal Served LastServed { get; private set; }

    /// <summary>The last call worked outside the machine's turn.</summary>
    internal bool LastWasLong { get; private set; }

    internal RunningService Running => _running ??= new(Description.Name);

    private Served ServeToItsEnd(ref Hypercall call, ValueArray<SystemRegisterValue> system)
    {
        LastWasLong = false;
        var served = Services.Serve(call, _state, Running);
        while (true)
        {
            if (served.Need is { } need)
            {
                call = call.With(Supply(call, need, system));
                served = Services.Serve(call, _state, Running);
            }
            else if (served.Work is not null)
            {
                LastWasLong = true;
                var finished = ServiceSet.Run(call, served, CancellationToken.None);
                var meanwhile = Meanwhile;
                Meanwhile = null;
                meanwhile?.Invoke();
                Begin();
                served = Services.Finish(call, finished, _state, Running);
            }
            else
            {
                return served;
            }
        }
    }

    private Supply Supply(Hypercall call, Need need, ValueArray<SystemRegisterValue> system) => new(
        [.. need.Memory.Select(range => new GuestBytes(range, ValueArray.Of<byte>(Memory.Read(range.Base, range.Size))))],
        [.. need.Registers.Select(register => new RegisterValue(register, call.Registers[register]))],
        [.. need.System.Select(register => new SystemRegisterValue(register, system.FirstOrDefault(given => given.Register == register).Value))]);

    private void Write(Mpidr core, in Answer answer)
    {
        List<MemoryWrite> before = [];
        foreach (var write in answer.Writes)
        {
            before.Add(new(write.Base, ValueArray.Of<byte>(Memory.Read(write.Base, write.Data.Count))));
            Memory.Write(write.Base, write.Data.Span);
        }

        _overwritten[core] = before;
    }

    /// <summary>The host has applied nothing of that answer.</summary>
    private void TakeWritesBack(Mpidr core)
    {
        if (_overwritten.Remove(core, out var before))
        {
            foreach (var write in Enumerable.Reverse(before))
            {
                Memory.Write(write.Base, write.Data.Span);
            }
        }
    }
}
