using System.Text.Json.Nodes;

namespace Hypercalls.Sdk;

/// <summary>A setting that its service cannot take.</summary>
public sealed class SettingsException : Exception
{
    /// <summary>Without a sentence.</summary>
    public SettingsException()
    {
    }

    /// <summary>With a sentence about the settings as a whole.</summary>
    /// <param name="message">What is wrong, and the remedy, without the full stop.</param>
    public SettingsException(string message)
        : base(message)
    {
    }

    /// <summary>With the sentence and a cause.</summary>
    /// <param name="message">What is wrong, and the remedy, without the full stop.</param>
    /// <param name="innerException">The cause.</param>
    public SettingsException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    internal SettingsException(string path, JsonNode? value, string message, Exception? cause = null)
        : base(message, cause)
    {
        Path = path;
        Value = value;
    }

    /// <summary>The member, such as "socId.code"; empty where the settings as a whole are meant.</summary>
    public string Path { get; } = "";

    /// <summary>What was given for it.</summary>
    public JsonNode? Value { get; }
}
