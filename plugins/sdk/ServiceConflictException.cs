namespace Hypercalls.Sdk;

/// <summary>Two services claim the same name, identifier or immediate, or say different things of one owner.</summary>
public sealed class ServiceConflictException : Exception
{
    /// <summary>Without a sentence.</summary>
    public ServiceConflictException()
    {
    }

    /// <summary>With the sentence for the operator.</summary>
    /// <param name="message">Names both claims.</param>
    public ServiceConflictException(string message)
        : base(message)
    {
    }

    /// <summary>With the sentence and a cause.</summary>
    /// <param name="message">Names both claims.</param>
    /// <param name="innerException">The cause.</param>
    public ServiceConflictException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
