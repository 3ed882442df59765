namespace Hypercalls.Bench.Load;

/// <summary>Makes one call after another; for one thread.</summary>
internal interface ICaller : IDisposable
{
    /// <summary>One call, until its answer is there.</summary>
    /// <exception cref="BenchException">The answer is wrong or missing: its time is no figure.</exception>
    void Call();
}
