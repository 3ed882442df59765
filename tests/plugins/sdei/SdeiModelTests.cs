using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Hypercalls.Tests.Sdei;

/// <summary>
/// Random platforms and histories of calls, triggers and host reports, against a model that knows nothing of the service's code.
/// HYPERCALLS_MODEL_HISTORIES sets their number; a failure prints its seed, the shortest history found, and that history in words.
/// </summary>
public sealed class SdeiModelTests(ITestOutputHelper output)
{
    private const int Histories = 1000;

    [Fact]
    public void Answers_as_the_model_does_and_wants_the_cores_that_the_model_wants()
    {
        var (entries, depth) = (0, 0);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Setting ?? Histories).WithEndSize(300),
            Prop.ForAll(Steps, steps =>
            {
                // The first choice draws the platform; the others are what happens to it.
                var run = new SdeiModelRun(new((ulong)steps.FirstOrDefault()));
                foreach (var step in steps.Skip(1))
                {
                    try
                    {
                        run.Step(new((ulong)step));
                    }
                    catch (Exception e)
                    {
                        throw new InvalidOperationException($"{e.Message}{Environment.NewLine}{run.History}", e);
                    }
                }

                (entries, depth) = (entries + run.Entries, Math.Max(depth, run.Depth));
            }));

        output.WriteLine($"{entries} handlers were entered, {depth} deep at most.");
        Assert.True(entries > 0, "No handler was ever entered: the histories try nothing.");
    }

    private static int? Setting =>
        int.TryParse(Environment.GetEnvironmentVariable("HYPERCALLS_MODEL_HISTORIES"), NumberStyles.None, CultureInfo.InvariantCulture, out var histories) ? histories : null;

    private static Arbitrary<int[]> Steps => Arb.From(
        Gen.Choose(0, int.MaxValue).ArrayOf(),
        steps => ArbMap.Default.ArbFor<int[]>().Shrinker(steps).Where(shorter => shorter.All(step => step >= 0)));
}
