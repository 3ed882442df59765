using System.Reflection;
using Grpc.Core;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>Maps each method that the generated BindService names to an endpoint of its path.</summary>
internal sealed class EndpointBinder(IEndpointRouteBuilder endpoints, GrpcServices services, GrpcServiceOptions options, ILogger log) : ServiceBinderBase
{
    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
        Map(method, handler!, async (call, requests, responses) =>
        {
            var response = await handler!(await requests.ReadOnlyAsync(), call);
            await responses.WriteLastAsync(response);
        });

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, handler!, async (call, requests, responses) =>
        {
            var response = await handler!(requests, call);
            await responses.WriteLastAsync(response);
        });

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, handler!, async (call, requests, responses) => await handler!(await requests.ReadOnlyAsync(), responses, call));

    public override void AddMethod<TRequest, TResponse>(Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
        Map(method, handler!, (call, requests, responses) => handler!(requests, responses, call));

    private void Map<TRequest, TResponse>(
        Method<TRequest, TResponse> method,
        Delegate handler,
        Func<ServerCall, RequestReader<TRequest>, ResponseWriter<TResponse>, Task> serve)
        where TRequest : class
        where TResponse : class
    {
        var limit = handler.Method.GetCustomAttribute<ReceiveLimitAttribute>()?.Bytes ?? options.MaxReceiveMessageSize;
        RequestDelegate endpoint = context =>
        {
            // Routes do not tell cases apart, the paths of gRPC do.
            if (context.Request.Path.Value != method.FullName)
            {
                return Unimplemented.AnswerAsync(context, services);
            }

            if (!RequestCheck.Passes(context))
            {
                return Task.CompletedTask;
            }

            var call = new ServerCall(context, method.FullName, CallDeadline.Of(context), log);
            var requests = new RequestReader<TRequest>(
                call, method, new FrameReader<TRequest>(context.Request.BodyReader, method.RequestMarshaller, limit, call.StatusOfCompressed));
            var responses = new ResponseWriter<TResponse>(call, new FrameWriter<TResponse>(method.ResponseMarshaller, options.MaxSendMessageSize));
            return call.RunAsync(() => serve(call, requests, responses));
        };
        endpoints.MapPost("/" + method.Name, endpoint);
    }
}
