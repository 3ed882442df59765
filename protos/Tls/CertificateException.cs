namespace Hypercalls.Protos.Tls;

/// <summary>Certificates that cannot be used: one sentence with file and remedy.</summary>
/// <param name="message">The sentence.</param>
/// <param name="cause">What was thrown below, if anything.</param>
public sealed class CertificateException(string message, Exception? cause = null) : Exception(message, cause);
