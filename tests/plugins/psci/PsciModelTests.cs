using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Hypercalls.Tests.Psci;

/// <summary>
/// Random platforms and interleavings of calls and host reports, against a model that knows nothing of the service's code.
/// HYPERCALLS_MODEL_HISTORIES sets their number.
/// </summary>
public sealed class PsciModelTests
{
    private const int Histories = 1000;

    [Fact]
    public void Answers_as_the_model_does_and_starts_no_core_twice() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(Setting ?? Histories).WithEndSize(300),
            Prop.ForAll(Steps, steps =>
            {
                // The first choice draws the platform; the others are what happens to it.
                var run = new PsciModelRun(steps.Length > 0 ? steps[0] : 0);
                foreach (var step in steps.Skip(1))
                {
                    run.Step(step);
                }
            }));

    private static int? Setting =>
        int.TryParse(Environment.GetEnvironmentVariable("HYPERCALLS_MODEL_HISTORIES"), NumberStyles.None, CultureInfo.InvariantCulture, out var histories) ? histories : null;

    private static Arbitrary<int[]> Steps => Arb.From(
        Gen.Choose(0, int.MaxValue).ArrayOf(),
        steps => ArbMap.Default.ArbFor<int[]>().Shrinker(steps).Where(shorter => shorter.All(step => step >= 0)));
}
