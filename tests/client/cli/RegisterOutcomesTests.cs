using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Hypercalls.Protos;
using Hypercalls.Tests.Client.Qemu;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Client.Cli;

/// <summary>A running machine's outcomes agree with the register: real guests make calls of every kind, and the daemon is asked of each who answers it.</summary>
[Collection(QemuMachines.Name)]
public sealed class RegisterOutcomesTests(GuestImages images, TestDaemon daemon) : IClassFixture<TestDaemon>
{
    private const string Qemu = "qemu-system-aarch64";
    private const uint Fast = 1u << 31;
    private const uint Smc64 = 1u << 30;
    private const uint ReservedBits = 0x7Fu << 17;
    private const uint SveHint = 1u << 16;
    private const uint SystemOff = 0x8400_0008;

    // Those that the guest must not call: they leave no guest to go on.
    private static readonly uint[] s_stopping =
    [
        0x8400_0002, // CPU_OFF
        0x8400_0008, // SYSTEM_OFF
        0x8400_0009, // SYSTEM_RESET
        0x8400_000B, // CPU_FREEZE
        0xC300_0007, // ATTEND_HERE
        0xC300_000F, // SLOW_ATTEND
    ];

    private static readonly string[] s_kinds =
    [
        "GENERAL_QUERIES", "HELLO", "PSCI", "SMCCC", "TRIALS", "TRIALS by its immediate",
        "nobody, a reserved bit", "nobody, an unclaimed immediate", "nobody, an unknown function", "nobody, an unknown yielding function",
    ];

    [NeedsFact(Qemu, "aarch64-linux-gnu-gcc")]
    public async Task Each_call_of_an_AArch64_guest_is_answered_by_whom_the_register_says()
    {
        var calls = await CompareAsync("outcomes-64", ExecutionState.Aarch64, "--kernel", images["outcomes"]);
        Assert.Equal(EachByBothConduits(s_kinds), await KindsAsync(calls, ExecutionState.Aarch64));
    }

    [NeedsFact(Qemu, "arm-linux-gnueabihf-gcc")]
    public async Task Each_call_of_an_AArch32_guest_is_answered_by_whom_the_register_says()
    {
        var calls = await CompareAsync("outcomes-32", ExecutionState.Aarch32, "--kernel", images.AArch32("outcomes"), "--raw", "--aarch32");
        Assert.Equal(EachByBothConduits([.. s_kinds, "nobody, SMC64 from AArch32"]), await KindsAsync(calls, ExecutionState.Aarch32));
    }

    /// <summary>Runs a guest and compares, while it waits; gives back its calls but the last.</summary>
    private async Task<List<CallRecord>> CompareAsync(string machine, ExecutionState state, params string[] kernel)
    {
        using var watch = daemon.Operator.Watch(new() { Machine = machine });
        await watch.ResponseHeadersAsync.Soon();
        using var run = Tool.Start(["run", .. kernel, "--cores", "1", "--memory", "64", "--daemon", daemon.Socket, "--name", machine]);
        try
        {
            var (count, digest) = await FiguresAsync(run);
            var calls = new List<CallRecord>();
            while (calls.Count < count)
            {
                calls.Add(await NextAsync(watch));
            }

            await AssertAgreeAsync(calls, machine, state);
            Assert.Equal(digest, DigestOf(calls, state));
            var off = await daemon.Register.GetAsync(new() { Machine = machine, ExecutionState = state, W0 = SystemOff });

            await run.StandardInput.WriteAsync('q');
            await run.StandardInput.FlushAsync();
            var last = await NextAsync(watch);
            // Nothing came between: the guest's calls are as many as it says.
            Assert.Equal((SystemOff, "PSCI", "SYSTEM_OFF", "shut down"), (last.Id, last.Service, last.Function, last.EffectText));
            Assert.Equal((AnsweredBy.Service, last.Service, last.Function), (off.AnsweredBy, off.Service, off.Function));
            await run.WaitForExitAsync().Soon();
            Assert.Equal((0, ""), (run.ExitCode, await run.StandardError.ReadToEndAsync()));
            return calls;
        }
        finally
        {
            if (!run.HasExited)
            {
                run.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>By point and by list, asked of the machine that made the calls.</summary>
    private async Task AssertAgreeAsync(List<CallRecord> calls, string machine, ExecutionState state)
    {
        var disagreements = new List<string>();
        foreach (var way in calls.GroupBy(call => (call.Conduit, call.Imm)))
        {
            var query = new RegisterQuery { Machine = machine, Conduit = way.Key.Conduit, ExecutionState = state, Imm = way.Key.Imm };
            var list = await ListAsync(query);
            foreach (var same in way.GroupBy(call => call.Id))
            {
                query.W0 = same.Key;
                var answer = await daemon.Register.GetAsync(query);
                var point = (answer.AnsweredBy, answer.Service, answer.Function);
                var range = list.Single(range => range.First <= same.Key && same.Key <= range.Last);
                disagreements.AddRange(same.Select(Outcome).Append((range.AnsweredBy, range.Service, range.Function))
                    .Where(other => other != point)
                    .Select(other => $"{way.Key.Conduit} #{way.Key.Imm} 0x{same.Key:X8}: the register says {point}, not {other}."));
            }
        }

        Assert.True(disagreements.Count == 0, string.Join('\n', disagreements.Distinct()));
    }

    private static (AnsweredBy, string Service, string Function) Outcome(CallRecord call) => call switch
    {
        { Service.Length: > 0 } => (AnsweredBy.Service, call.Service, call.Function),
        { Results: [ulong.MaxValue, 0, 0, 0], EffectText: "" } => (AnsweredBy.Nobody, "", call.Function),
        _ => (AnsweredBy.Unspecified, call.Service, $"{call.Function} = {call.ResultText}, {call.EffectText}"),
    };

    private async Task<List<RegisterRange>> ListAsync(RegisterQuery query)
    {
        using var list = daemon.Register.List(query);
        var ranges = new List<RegisterRange>();
        while (await list.ResponseStream.MoveNext().Soon())
        {
            ranges.Add(list.ResponseStream.Current);
        }

        return ranges;
    }

    /// <summary>Which kinds of calls were made; and of what is served, nothing is left out but what stops the guest.</summary>
    private async Task<string[]> KindsAsync(List<CallRecord> calls, ExecutionState state)
    {
        var services = await daemon.Operator.ListServicesAsync(new());
        var served = services.Services.SelectMany(service => service.Functions).SelectMany(function => function.Ids).ToHashSet();
        foreach (var conduit in (Conduit[])[Conduit.Smc, Conduit.Hvc])
        {
            var called = calls.Where(call => call.Conduit == conduit && call.Imm == 0).Select(call => call.Id).ToHashSet();
            Assert.Equal(s_stopping, served.Where(id => !called.Contains(id)).Order());
            Assert.Equal(s_stopping, served.Where(id => !called.Contains(id | SveHint)).Order());
        }

        return [.. calls.Select(call => $"{call.Conduit}: {Kind(call, state, served)}").Distinct().Order(StringComparer.Ordinal)];
    }

    private static string Kind(CallRecord call, ExecutionState state, HashSet<uint> served) => call switch
    {
        { Service.Length: > 0, Imm: 0 } => call.Service,
        { Service.Length: > 0 } => $"{call.Service} by its immediate",
        { Imm: not 0 } => "nobody, an unclaimed immediate",
        { Id: < Fast } => "nobody, an unknown yielding function",
        _ when (call.Id & ReservedBits) != 0 && served.Contains(call.Id & ~ReservedBits) => "nobody, a reserved bit",
        _ when (call.Id & Smc64) != 0 && served.Contains(call.Id) && state == ExecutionState.Aarch32 => "nobody, SMC64 from AArch32",
        _ => "nobody, an unknown function",
    };

    private static IEnumerable<string> EachByBothConduits(string[] kinds) =>
        kinds.SelectMany(kind => (string[])[$"{Conduit.Smc}: {kind}", $"{Conduit.Hvc}: {kind}"]).Order(StringComparer.Ordinal);

    private static async Task<CallRecord> NextAsync(AsyncServerStreamingCall<CallRecord> watch)
    {
        Assert.True(await watch.ResponseStream.MoveNext().Soon(), "The watch has ended.");
        var record = watch.ResponseStream.Current;
        Assert.Equal((0ul, false, true), (record.Dropped, record.Fallback, record.HasImm));
        return record;
    }

    /// <summary>What the guest prints at the end: its calls, and a digest of what it asked and got, in order.</summary>
    private static async Task<(int Calls, ulong Digest)> FiguresAsync(Process run)
    {
        var lines = new List<string>();
        while (lines.LastOrDefault() != "type a key")
        {
            lines.Add(await run.StandardOutput.ReadLineAsync().Soon()
                ?? throw new InvalidOperationException($"The run ended: {string.Join(" / ", lines)} {await run.StandardError.ReadToEndAsync()}"));
        }

        ulong[] figures = [.. lines[^3..^1].Select(line => ulong.Parse(line.AsSpan(line.IndexOf(": 0x", StringComparison.Ordinal) + 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
        Assert.Equal([$"calls: 0x{figures[0]:x}", $"digest: 0x{figures[1]:x}"], lines[^3..^1]);
        return ((int)figures[0], figures[1]);
    }

    /// <summary>As in tests/Guest/outcomes.h, over the low halves where the guest's registers have no more.</summary>
    private static ulong DigestOf(List<CallRecord> calls, ExecutionState state)
    {
        var registers = state == ExecutionState.Aarch32 ? uint.MaxValue : ulong.MaxValue;
        return calls.SelectMany(call => call.Results.Prepend(call.Id)).Aggregate(0ul, (digest, value) => ((digest ^ value) * 0x0100_0193) & registers);
    }
}
