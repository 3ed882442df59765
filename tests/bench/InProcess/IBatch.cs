namespace Hypercalls.Bench.InProcess;

/// <summary>Many calls in a row, on one thread of this process.</summary>
internal interface IBatch
{
    /// <summary>Calls in a batch.</summary>
    const int Calls = 10_000;

    /// <summary>What is not measured.</summary>
    void Prepare();

    /// <summary>Makes the calls.</summary>
    void Run();
}
