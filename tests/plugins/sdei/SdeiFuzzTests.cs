using System.Globalization;
using Xunit.Abstractions;
using Dice = Hypercalls.Tests.Psci.Dice;

namespace Hypercalls.Tests.Sdei;

/// <summary>
/// Two hundred thousand steps drawn at random, half of their calls garbage: nothing throws, the service and the model stay equal, and no guest makes the state grow.
/// HYPERCALLS_FUZZ_CALLS sets another number, HYPERCALLS_FUZZ_SEED the seed that a failure has printed.
/// </summary>
public sealed class SdeiFuzzTests(ITestOutputHelper output)
{
    private const int StepsOfAMachine = 2000;
    private const int LargestState = 64 * 1024;

    [Fact]
    public void Whatever_a_guest_calls_the_service_stays_with_the_model()
    {
        var seed = Setting("HYPERCALLS_FUZZ_SEED") is { } text ? ulong.Parse(text, CultureInfo.InvariantCulture) : (ulong)Random.Shared.NextInt64();
        var left = int.Parse(Setting("HYPERCALLS_FUZZ_CALLS") ?? "200000", CultureInfo.InvariantCulture);
        output.WriteLine($"Seed {seed}");
        for (var machine = 0; left > 0; machine++)
        {
            var dice = new Dice(seed + (ulong)machine);
            var run = new SdeiModelRun(dice);
            for (var step = 0; step < StepsOfAMachine && left > 0; step++, left--)
            {
                try
                {
                    run.Step(dice, wild: true);
                }
                catch (Exception e)
                {
                    Assert.Fail($"Seed {seed}, machine {machine}, step {step}: {e.Message}{Environment.NewLine}{run.LastSteps(40)}");
                }
            }

            Assert.InRange(run.StateSize, 1, LargestState);
        }
    }

    private static string? Setting(string name) => Environment.GetEnvironmentVariable(name);
}
