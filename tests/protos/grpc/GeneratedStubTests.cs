using Grpc.Core;
using Hypercalls.Tests.Conformance;
using Conformer = Hypercalls.Tests.Conformance.Conformance.ConformanceClient;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>The ways into generated stubs that no call of the other tests takes.</summary>
public class GeneratedStubTests
{
    [Fact]
    public void A_service_definition_tells_a_binder_every_method()
    {
        var binder = new ListingBinder();
        Conformance.Conformance.BindService(new ConformanceService()).BindService(binder);
        Assert.Equal(
            [
                "/hypercalls.tests.Conformance/Echo Unary",
                "/hypercalls.tests.Conformance/Collect ClientStreaming",
                "/hypercalls.tests.Conformance/Repeat ServerStreaming",
                "/hypercalls.tests.Conformance/Chat DuplexStreaming",
                "/hypercalls.tests.Conformance/EchoLarge Unary",
            ],
            binder.Methods);
    }

    [Fact]
    public void A_service_definition_refuses_two_methods_of_one_name()
    {
        var strings = Marshallers.StringMarshaller;
        var method = new Method<string, string>(MethodType.Unary, "s", "m", strings, strings);
        var builder = ServerServiceDefinition.CreateBuilder().AddMethod(method, (request, _) => Task.FromResult(request));
        var failure = Assert.Throws<ArgumentException>(() => builder.AddMethod(method, (request, _) => Task.FromResult(request)));
        Assert.StartsWith("/s/m is added twice.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_without_a_channel_makes_no_calls() =>
        Assert.Throws<NotSupportedException>(() => new ClientDouble().Echo(new Message()));

    private sealed class ClientDouble : Conformer;

    private sealed class ListingBinder : ServiceBinderBase
    {
        public List<string> Methods { get; } = [];

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) => Add(method);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) => Add(method);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) => Add(method);

        public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) => Add(method);

        private void Add(IMethod method) => Methods.Add($"{method.FullName} {method.Type}");
    }
}
