namespace Hypercalls.Daemon;

/// <summary>The configuration is wrong: no start, one sentence with file, value and remedy.</summary>
internal sealed class ConfigurationException(string message, Exception? cause = null) : Exception(message, cause);
