using FsCheck;
using FsCheck.Fluent;

namespace Hypercalls.Tests.Psci;

/// <summary>Random interleavings of calls and host reports, against a model that knows nothing of the service's code.</summary>
public sealed class PsciModelTests
{
    [Fact]
    public void Answers_as_the_model_does_and_starts_no_core_twice() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000).WithEndSize(300),
            Prop.ForAll(Histories, history =>
            {
                // The number says how many cores there are; the rest is what happens to them.
                var run = new PsciModelRun(cores: 1 + history.Length % 8);
                foreach (var step in history)
                {
                    run.Step(step);
                }
            }));

    private static Arbitrary<int[]> Histories => Arb.From(
        Gen.Choose(0, int.MaxValue).ArrayOf(),
        history => ArbMap.Default.ArbFor<int[]>().Shrinker(history).Where(shorter => shorter.All(step => step >= 0)));
}
