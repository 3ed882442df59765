using System.Text.Json.Nodes;

namespace Hypercalls.Sdk;

/// <summary>
/// For services whose state has changed its shape. Members that are new have their initialisers, and members that are gone are left out, without any code;
/// this is for what that cannot do. A state that is saved carries the version; one without is of version 1.
/// </summary>
public interface IUpgradable
{
    /// <summary>Of the states this service saves: 2 or more.</summary>
    int StateVersion { get; }

    /// <summary>Makes the members of an older state those of this version.</summary>
    /// <param name="saved">As an older service saved them; to be changed and given back.</param>
    /// <param name="version">Which version that was: 1 to <see cref="StateVersion"/> − 1.</param>
    /// <returns>Members of <see cref="StateVersion"/>.</returns>
    JsonObject Upgrade(JsonObject saved, int version);
}
