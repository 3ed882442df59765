namespace Hypercalls.Tests.Sdei;

/// <summary>An event that a platform has from the start.</summary>
internal readonly record struct PlatformEvent(uint Number, bool IsShared, bool IsCritical);
