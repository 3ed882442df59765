using Hypercalls.Sdk;

namespace Hypercalls.Testkit;

/// <summary>The share of a kernel in the calls of a <see cref="TestMachine"/>, alike for both conduits and execution states.</summary>
public sealed class TestKernel : IKernelShare
{
    private readonly List<(uint First, uint Last, KernelAnswer Answer)> _ranges = [];

    /// <summary>It serves these itself.</summary>
    /// <param name="first">The first identifier, all 32 bits of w0.</param>
    /// <param name="last">The last one.</param>
    /// <returns>This kernel.</returns>
    public TestKernel Answers(uint first, uint last) => Keeps(first, last, KernelAnswer.Answered);

    /// <summary>It keeps these from the services and serves them not.</summary>
    /// <param name="first">The first identifier, all 32 bits of w0.</param>
    /// <param name="last">The last one.</param>
    /// <returns>This kernel.</returns>
    public TestKernel Refuses(uint first, uint last) => Keeps(first, last, KernelAnswer.Refused);

    /// <inheritdoc/>
    public KernelAnswer Of(FunctionId id, Conduit conduit, bool isAArch32)
    {
        foreach (var (first, last, answer) in _ranges)
        {
            if (id.Value >= first && id.Value <= last)
            {
                return answer;
            }
        }

        return KernelAnswer.Forwarded;
    }

    private TestKernel Keeps(uint first, uint last, KernelAnswer answer)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(last, first);
        _ranges.Add((first, last, answer));
        return this;
    }
}
