using Hypercalls.Psci;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Psci;

public sealed class PowerTransitionsTests
{
    [Theory]
    //          state                   next                    status
    [InlineData(PowerState.Off,         PowerState.OnPending,   0)]
    [InlineData(PowerState.OnPending,   PowerState.OnPending,   -5)] // ON_PENDING
    [InlineData(PowerState.On,          PowerState.On,          -4)] // ALREADY_ON
    [InlineData(PowerState.Suspended,   PowerState.Suspended,   -4)] // a suspended core counts as on
    [InlineData(PowerState.Unavailable, PowerState.Unavailable, -3)] // DENIED
    public void CPU_ON(PowerState power, PowerState next, int status) =>
        Assert.Equal((next, (PsciStatus)status), PowerTransitions.CpuOn(power));

    [Theory]
    //          state                   Started        Stopped                 Woke                    Refused
    [InlineData(PowerState.Off,         PowerState.On, PowerState.Off,         PowerState.Off,         PowerState.Off)]
    [InlineData(PowerState.OnPending,   PowerState.On, PowerState.Off,         PowerState.OnPending,   PowerState.Off)]
    [InlineData(PowerState.On,          PowerState.On, PowerState.Off,         PowerState.On,          PowerState.On)]
    [InlineData(PowerState.Suspended,   PowerState.On, PowerState.Off,         PowerState.On,          PowerState.Suspended)]
    [InlineData(PowerState.Unavailable, PowerState.On, PowerState.Unavailable, PowerState.Unavailable, PowerState.Unavailable)]
    public void Reports_of_the_host(PowerState power, PowerState started, PowerState stopped, PowerState woke, PowerState refused)
    {
        Assert.Equal(
            (started, stopped, woke, refused),
            (PowerTransitions.Reported(power, CoreChange.Started), PowerTransitions.Reported(power, CoreChange.Stopped),
                PowerTransitions.Reported(power, CoreChange.Woke), PowerTransitions.Reported(power, CoreChange.Refused)));
    }

    [Theory]
    [InlineData(CorePower.On, PowerState.On)]
    [InlineData(CorePower.Off, PowerState.Off)]
    [InlineData(CorePower.Suspended, PowerState.Suspended)]
    [InlineData(CorePower.Unavailable, PowerState.Unavailable)]
    public void The_list_of_the_host(CorePower listed, PowerState power) => Assert.Equal(power, PowerTransitions.Listed(listed));
}
