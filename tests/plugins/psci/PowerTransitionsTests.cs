using Hypercalls.Psci;
using Hypercalls.Sdk;
using static Hypercalls.Psci.PowerState;

namespace Hypercalls.Tests.Psci;

public sealed class PowerTransitionsTests
{
    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state        next         status
    [InlineData(Off,         OnPending,   0)]
    [InlineData(OnPending,   OnPending,   -5)] // ON_PENDING
    [InlineData(On,          On,          -4)] // ALREADY_ON
    [InlineData(Suspended,   Suspended,   -4)] // a suspended core counts as on
    [InlineData(Freezing,    Freezing,    -4)] // CPU_FREEZE is not processed yet
    [InlineData(Frozen,      OnPending,   0)]  // CPU_ON starts it again
    [InlineData(Unavailable, Unavailable, -3)] // DENIED
#pragma warning restore format
    public void CPU_ON(PowerState power, PowerState next, int status) =>
        Assert.Equal((next, (PsciStatus)status), PowerTransitions.CpuOn(power));

    [Theory]
#pragma warning disable format // a table, to be read by column
    //          state        Started  Stopped      Woke         Refused
    [InlineData(Off,         On,      Off,         Off,         Off)]
    [InlineData(OnPending,   On,      OnPending,   OnPending,   Off)]  // that it stopped speaks of the life before
    [InlineData(On,          On,      Off,         On,          On)]
    [InlineData(Suspended,   Suspended, Off,       On,          Suspended)] // its exits have overtaken the report of its start
    [InlineData(Freezing,    Freezing, Frozen,     Freezing,    Freezing)]
    [InlineData(Frozen,      On,      Frozen,      Frozen,      Frozen)]
    [InlineData(Unavailable, On,      Unavailable, Unavailable, Unavailable)]
#pragma warning restore format
    public void Reports_of_the_host(PowerState power, PowerState started, PowerState stopped, PowerState woke, PowerState refused) => Assert.Equal(
        (started, stopped, woke, refused),
        (PowerTransitions.Reported(power, CoreChange.Started), PowerTransitions.Reported(power, CoreChange.Stopped),
            PowerTransitions.Reported(power, CoreChange.Woke), PowerTransitions.Reported(power, CoreChange.Refused)));

    [Theory]
    [InlineData(CorePower.On, On)]
    [InlineData(CorePower.Off, Off)]
    [InlineData(CorePower.Suspended, Suspended)]
    [InlineData(CorePower.Unavailable, Unavailable)]
    public void The_list_of_the_host(CorePower listed, PowerState power) => Assert.Equal(power, PowerTransitions.Listed(listed));
}
