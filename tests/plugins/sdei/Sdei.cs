using Hypercalls.Sdei;
using Hypercalls.Sdk;
using Hypercalls.Testkit;

namespace Hypercalls.Tests.Sdei;

/// <summary>The one place where these tests meet the service's own types.</summary>
internal static class Sdei
{
    public static Service Service(int minor = 1, IEnumerable<PlatformEvent>? events = null, int privateSlots = 3, int sharedSlots = 3) => new SdeiService(new SdeiSettings
    {
        Version = new(1, minor),
        Events =
        [
            .. (events ?? []).Select(one => new StaticEvent
            {
                Number = one.Number,
                Type = one.IsShared ? EventType.Shared : EventType.Private,
                Priority = one.IsCritical ? EventPriority.Critical : EventPriority.Normal,
            }),
        ],
        PrivateSlots = privateSlots,
        SharedSlots = sharedSlots,
    });

    public static object State(TestMachine machine) => machine.StateOf<SdeiState>();

    public static ulong Dropped(TestMachine machine) => machine.StateOf<SdeiState>().Dropped;

    public static RaiseResult Raise(TestMachine machine, ulong @event, int? core) => machine.Raise(@event, core).Result;
}
