namespace Hypercalls.Sdk;

/// <summary>A saved state that a service cannot take, with a sentence for people.</summary>
/// <param name="sentence">What is wrong with it.</param>
/// <param name="inner">What was thrown.</param>
public sealed class StateException(string sentence, Exception? inner = null) : Exception(sentence, inner);
