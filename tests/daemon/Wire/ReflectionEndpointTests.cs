using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Hypercalls.Tests.Protos.Grpc;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace Hypercalls.Tests.Daemon.Wire;

public class ReflectionEndpointTests
{
    private static readonly string[] s_services =
    [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "hypercalls.tests.Conformance",
    ];

    [Fact]
    public async Task Lists_the_services_in_both_versions()
    {
        Assert.Equal(s_services, (await AskAsync(new ServerReflectionRequest { ListServices = "" })).ListServicesResponse.Service.Select(service => service.Name));

        await using var server = await GrpcServer.StartAsync();
        using var alpha = new V1Alpha.ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        var request = new V1Alpha.ServerReflectionRequest { Host = "h", ListServices = "*" };
        await alpha.RequestStream.WriteAsync(request);
        Assert.True(await alpha.ResponseStream.MoveNext().Soon());
        Assert.Equal(s_services, alpha.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name));
        Assert.Equal((request, "h"), (alpha.ResponseStream.Current.OriginalRequest, alpha.ResponseStream.Current.ValidHost));
    }

    [Theory]
    [InlineData("hypercalls.tests.Conformance")]
    [InlineData("hypercalls.tests.Conformance.Chat")]
    [InlineData("hypercalls.tests.Message")]
    [InlineData("hypercalls.tests.Message.number")]
    public async Task Gives_the_file_of_a_symbol(string symbol)
    {
        var response = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });
        Assert.Equal([Conformance.ConformanceReflection.Descriptor.SerializedData], response.FileDescriptorResponse.FileDescriptorProto);
    }

    [Theory]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus", "health.proto")] // an enumeration within a message
    [InlineData("grpc.reflection.v1alpha.ErrorResponse", "reflection_v1alpha.proto")]
    public async Task Gives_files_that_can_be_read_without_this_repository(string symbol, string name)
    {
        var response = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });
        var file = FileDescriptorProto.Parser.ParseFrom(Assert.Single(response.FileDescriptorResponse.FileDescriptorProto));
        Assert.Equal(name, file.Name);
        var again = await AskAsync(new ServerReflectionRequest { FileByFilename = name });
        Assert.Equal(response.FileDescriptorResponse, again.FileDescriptorResponse);
    }

    public static TheoryData<ServerReflectionRequest, StatusCode, string> Unanswerable => new()
    {
        { new() { FileByFilename = "no.proto" }, StatusCode.NotFound, "There is no file 'no.proto' here." },
        { new() { FileContainingSymbol = "no.Symbol" }, StatusCode.NotFound, "There is no symbol 'no.Symbol' here." },
        { new() { FileContainingSymbol = "" }, StatusCode.NotFound, "There is no symbol '' here." },
        {
            new() { FileContainingExtension = new() { ContainingType = "hypercalls.tests.Message", ExtensionNumber = 7 } },
            StatusCode.NotFound,
            "There is no extension 7 of 'hypercalls.tests.Message' here."
        },
        { new() { AllExtensionNumbersOfType = "no.Type" }, StatusCode.NotFound, "There is no symbol 'no.Type' here." },
        { new() { Host = "h" }, StatusCode.InvalidArgument, "The request asks for nothing this protocol knows." },
    };

    [Theory]
    [MemberData(nameof(Unanswerable))]
    public async Task Answers_what_it_cannot_know_with_an_error(ServerReflectionRequest request, StatusCode code, string message)
    {
        var expected = new ServerReflectionResponse
        {
            ValidHost = request.Host,
            OriginalRequest = request,
            ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message },
        };
        Assert.Equal(expected, await AskAsync(request));
    }

    [Fact]
    public async Task Says_that_a_type_has_no_extensions() => Assert.Equal(
        new ExtensionNumberResponse { BaseTypeName = "hypercalls.tests.Message" },
        (await AskAsync(new ServerReflectionRequest { AllExtensionNumbersOfType = "hypercalls.tests.Message" })).AllExtensionNumbersResponse);

    [Fact]
    public async Task Answers_many_questions_on_one_stream_in_order()
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        var requests = s_services.Select(service => new ServerReflectionRequest { FileContainingSymbol = service }).ToList();
        foreach (var request in requests)
        {
            await call.RequestStream.WriteAsync(request).Soon();
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(requests, (await CallTests.AllAsync(call.ResponseStream)).Select(response => response.OriginalRequest));
    }

    private static async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
    {
        await using var server = await GrpcServer.StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request).Soon();
        Assert.True(await call.ResponseStream.MoveNext().Soon());
        var response = call.ResponseStream.Current;
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext().Soon());
        return response;
    }
}
