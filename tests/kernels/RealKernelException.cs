namespace Hypercalls.RealKernels;

/// <summary>The machine of a real kernel did not come up, or is gone; the message ends with what it printed last.</summary>
public sealed class RealKernelException : Exception
{
    public RealKernelException()
    {
    }

    public RealKernelException(string message)
        : base(message)
    {
    }

    public RealKernelException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
