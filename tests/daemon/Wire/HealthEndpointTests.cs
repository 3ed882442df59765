using Grpc.Core;
using Grpc.Health.V1;
using Hypercalls.Daemon.Wire;
using Hypercalls.Tests.Protos.Grpc;
using Microsoft.Extensions.DependencyInjection;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Hypercalls.Tests.Daemon.Wire;

public class HealthEndpointTests
{
    private const string Service = "hypercalls.tests.Conformance";

    [Theory]
    [InlineData("")]
    [InlineData(Service)]
    [InlineData("grpc.health.v1.Health")]
    [InlineData("grpc.reflection.v1.ServerReflection")]
    [InlineData("grpc.reflection.v1alpha.ServerReflection")]
    public async Task Says_that_what_is_mapped_is_served(string service)
    {
        await using var server = await GrpcServer.StartAsync();
        var client = new Health.HealthClient(server.Channel());
        Assert.Equal(ServingStatus.Serving, (await client.CheckAsync(new HealthCheckRequest { Service = service }).ResponseAsync.Soon()).Status);
    }

    [Fact]
    public async Task Knows_nothing_of_other_services()
    {
        await using var server = await GrpcServer.StartAsync();
        var client = new Health.HealthClient(server.Channel());
        var failure = await Assert.ThrowsAsync<RpcException>(() => client.CheckAsync(new HealthCheckRequest { Service = "nobody" }).ResponseAsync.Soon());
        Assert.Equal(new Status(StatusCode.NotFound, "There is no service 'nobody' here."), failure.Status);
    }

    [Fact]
    public async Task Tells_watchers_of_every_change_and_leaves_them_when_the_daemon_stops()
    {
        await using var server = await GrpcServer.StartAsync();
        var statuses = server.Services.GetRequiredService<ServingStatuses>();
        var client = new Health.HealthClient(server.Channel());
        using var all = client.Watch(new HealthCheckRequest());
        using var one = client.Watch(new HealthCheckRequest { Service = Service });
        using var later = client.Watch(new HealthCheckRequest { Service = "later" });
        await NextIs(all, ServingStatus.Serving);
        await NextIs(one, ServingStatus.Serving);
        await NextIs(later, ServingStatus.ServiceUnknown);

        statuses.Set(Service, ServingStatus.NotServing);
        await NextIs(one, ServingStatus.NotServing);
        Assert.Equal(ServingStatus.NotServing, (await client.CheckAsync(new HealthCheckRequest { Service = Service }).ResponseAsync.Soon()).Status);
        statuses.Set("later", ServingStatus.Serving);
        await NextIs(later, ServingStatus.Serving);
        statuses.Set(Service, ServingStatus.NotServing);
        statuses.Set(Service, ServingStatus.Serving);
        await NextIs(one, ServingStatus.Serving);

        var stopping = server.StopAsync();
        foreach (var watch in new[] { all, one, later })
        {
            await NextIs(watch, ServingStatus.NotServing);
            Assert.False(await watch.ResponseStream.MoveNext().Soon());
        }

        await stopping.Soon();
    }

    private static async Task NextIs(AsyncServerStreamingCall<HealthCheckResponse> watch, ServingStatus status)
    {
        Assert.True(await watch.ResponseStream.MoveNext().Soon());
        Assert.Equal(status, watch.ResponseStream.Current.Status);
    }
}
