using System.Runtime.CompilerServices;

namespace Hypercalls.Sdk;

/// <summary>x0 to x17 of a call, raw.</summary>
[InlineArray(Count)]
public struct CallRegisters
{
    /// <summary>x0 to x17.</summary>
    public const int Count = 18;

    private ulong _x0;
}
