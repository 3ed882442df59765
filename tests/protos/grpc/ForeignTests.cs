using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Grpc;
using Hypercalls.Tests.Conformance;
using Conformer = Hypercalls.Tests.Conformance.Conformance.ConformanceClient;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>Both ends against Google's own library, by its Python stubs.</summary>
public sealed class ForeignTests : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const string Grpcio = "/usr/lib/python3/dist-packages/grpc/__init__.py";
    private const string Protobuf = "/usr/lib/python3/dist-packages/google/protobuf/__init__.py";
    private const string Protoc = "/usr/bin/protoc";
    private const string Plugin = "/usr/bin/grpc_python_plugin";

    private readonly DirectoryInfo _stubs = Directory.CreateTempSubdirectory("hypercalls-");

    [NeedsFact(Python, Grpcio, Protobuf, Protoc, Plugin)]
    public async Task Serves_a_foreign_client()
    {
        string[] expected =
        [
            "unary with metadata and deadline",
            "every status",
            "a status after messages",
            "deadline",
            "client streaming",
            "server streaming",
            "bidirectional, in turn",
            "cancellation",
            "limits",
            "compression refused",
            "unimplemented",
            "health",
            "reflection v1",
            "reflection v1alpha",
        ];
        await MakeStubsAsync();
        await using var server = await GrpcServer.StartAsync(new ConformanceService { OnEcho = EchoAsync });
        foreach (var target in new[] { "unix:" + server.Unix.SocketPath, $"{server.Tcp.Host}:{server.Tcp.Port}" })
        {
            using var python = Start("foreign_client.py", target);
            Assert.Equal((0, string.Join('\n', expected)), await EndAsync(python));
        }
    }

    [NeedsFact(Python, Grpcio, Protobuf, Protoc, Plugin)]
    public async Task Calls_a_foreign_server()
    {
        await MakeStubsAsync();
        var address = GrpcServer.AddressIn(_stubs);
        using var python = Start("foreign_server.py", address.ToString());
        Assert.Equal("serving", await python.StandardOutput.ReadLineAsync().Soon());
        using var channel = HttpChannel.ForAddress(address);
        await CallAsync(new Conformer(channel));
        python.StandardInput.Close();
        Assert.Equal((0, ""), await EndAsync(python));
    }

    public void Dispose() => _stubs.Delete(recursive: true);

    private static async Task CallAsync(Conformer client)
    {
        var deadline = DateTime.UtcNow.AddMinutes(1);
        var request = new Message { Number = 7, Text = "Größe", Data = ByteString.CopyFrom(0, 255) };
        using var echo = client.EchoAsync(request, [new("x-text", "a b"), new("x-data-bin", [0, 1, 255])], deadline);
        Assert.Equal("b", (await echo.ResponseHeadersAsync.Soon()).GetValue("x-before"));
        Assert.Equal(request, await echo.ResponseAsync.Soon());
        Assert.Equal(("a b", 3), (echo.GetTrailers().GetValue("x-text"), echo.GetTrailers().GetValueBytes("x-data-bin")!.Length));

        var expected = new Status(StatusCode.AlreadyExists, "100 % Größe");
        var failure = await Assert.ThrowsAsync<RpcException>(() => client.EchoAsync(new Message { Status = 6, Text = expected.Detail }).ResponseAsync.Soon());
        Assert.Equal(expected, failure.Status);
        failure = await Assert.ThrowsAsync<RpcException>(
            () => client.EchoAsync(new Message { Text = "hang" }, deadline: DateTime.UtcNow.AddMilliseconds(300)).ResponseAsync.Soon());
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);

        using var collect = client.Collect(deadline: deadline);
        for (var i = 1; i <= 100; i++)
        {
            await collect.RequestStream.WriteAsync(new Message { Number = i }).Soon();
        }

        await collect.RequestStream.CompleteAsync();
        Assert.Equal(5050, (await collect.ResponseAsync.Soon()).Number);

        using var repeat = client.Repeat(new Message { Number = 5 }, deadline: deadline);
        Assert.Equal(5, (await CallTests.AllAsync(repeat.ResponseStream)).Count);

        var large = new Message { Data = ByteString.CopyFrom(new byte[3 * 1024 * 1024]) };
        Assert.Equal(large, await client.EchoLargeAsync(large).ResponseAsync.Soon());

        await ChatAsync(client, expected);
    }

    // This server sends its headers with its first message, and resets what is left of the requests when it ends first.
    private static async Task ChatAsync(Conformer client, Status expected)
    {
        using var chat = client.Chat(deadline: DateTime.UtcNow.AddMinutes(2));
        for (var i = 0; i < 2000; i++)
        {
            await chat.RequestStream.WriteAsync(new Message { Number = i }).Soon();
            Assert.True(await chat.ResponseStream.MoveNext().Soon());
            Assert.Equal(i, chat.ResponseStream.Current.Number);
        }

        await chat.RequestStream.WriteAsync(new Message { Status = 6, Text = expected.Detail }).Soon();
        var failure = await Assert.ThrowsAsync<RpcException>(() => chat.ResponseStream.MoveNext().Soon());
        Assert.Equal(expected, failure.Status);
    }

    private static async Task<Message> EchoAsync(Message request, ServerCallContext context)
    {
        if (request.Status != 0)
        {
            throw new RpcException(new Status((StatusCode)request.Status, request.Text));
        }

        if (request.Text == "hang")
        {
            await Task.Delay(Timeout.Infinite, context.CancellationToken);
        }

        await context.WriteResponseHeadersAsync([new Metadata.Entry("x-before", "b")]);
        foreach (var entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("x-", StringComparison.Ordinal)))
        {
            context.ResponseTrailers.Add(entry);
        }

        return request;
    }

    private static string Foreign(string name) => Path.Combine(AppContext.BaseDirectory, "foreign", name);

    private async Task MakeStubsAsync()
    {
        string[] protos = ["conformance.proto", "health.proto", "reflection.proto", "reflection_v1alpha.proto"];
        using var protoc = Start(
            Protoc,
            [$"-I{Foreign("")}", $"--python_out={_stubs.FullName}", $"--grpc_python_out={_stubs.FullName}", $"--plugin=protoc-gen-grpc_python={Plugin}", .. protos]);
        Assert.Equal((0, ""), await EndAsync(protoc));
    }

    private Process Start(string script, string target) => Start(Python, ["-B", Foreign(script), target]);

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = _stubs.FullName;
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        return Process.Start(start)!;
    }

    // The exit code and all that was printed; a program that does not end is killed.
    private static async Task<(int Code, string Output)> EndAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return (process.ExitCode, (await output + await errors).Trim());
    }
}
