namespace Hypercalls.Daemon.Loading;

/// <summary>A plugin cannot be loaded: what is wrong, and the remedy.</summary>
internal sealed class PluginFaultException(string sentence, Exception? cause = null) : Exception(sentence, cause);
