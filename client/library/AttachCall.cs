using Google.Protobuf;
using Grpc.Core;
using Hypercalls.Protos;

namespace Hypercalls.Client;

/// <summary>One Attach stream: the greeting, then reports to the daemon and its messages.</summary>
internal sealed class AttachCall : IDisposable
{
    private readonly AsyncDuplexStreamingCall<HostMessage, DaemonMessage> _stream;

    private AttachCall(AsyncDuplexStreamingCall<HostMessage, DaemonMessage> stream, Attachment attachment) =>
        (_stream, Attachment) = (stream, attachment);

    public Attachment Attachment { get; }

    /// <summary>Hello, Welcome, Ready, acceptance. The token is told as soon as it is known: with it a machine is found again that the daemon accepted while nobody heard it.</summary>
    /// <exception cref="RpcException">The daemon refuses, with a sentence, or cannot be reached.</exception>
    public static async Task<AttachCall> GreetAsync(CallInvoker daemon, Hello hello, Ready ready, Action<ByteString> token, CancellationToken cancelled)
    {
        (hello.ProtocolMajor, hello.ProtocolMinor) = (MachineSession.ProtocolMajor, MachineSession.ProtocolMinor);
        var stream = new Protos.Hypercalls.HypercallsClient(daemon).Attach(cancellationToken: CancellationToken.None);
        try
        {
            await stream.RequestStream.WriteAsync(new() { Hello = hello }, cancelled).ConfigureAwait(false);
            var welcome = (await NextAsync(stream, cancelled).ConfigureAwait(false))?.Welcome ?? throw Unexpected("Hello with Welcome");
            if (welcome.ProtocolMajor != MachineSession.ProtocolMajor || welcome.Deadlines is not { HostUs: > 0 })
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"The daemon speaks protocol {welcome.ProtocolMajor}, this host {MachineSession.ProtocolMajor}."));
            }

            token(welcome.Token);
            await stream.RequestStream.WriteAsync(new() { Ready = ready }, cancelled).ConfigureAwait(false);
            var accepted = (await NextAsync(stream, cancelled).ConfigureAwait(false))?.RangesChanged ?? throw Unexpected("Ready with the ranges it serves");
            return new(stream, new(welcome, accepted));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>The daemon's next message; null when it has ended the stream.</summary>
    public Task<DaemonMessage?> NextAsync(CancellationToken cancelled) => NextAsync(_stream, cancelled);

    /// <summary>Sends what is reported, until nothing follows.</summary>
    public async Task SendAsync(ReportQueue reports, CancellationToken cancelled)
    {
        while (await reports.NextAsync(cancelled).ConfigureAwait(false) is { } message)
        {
            await _stream.RequestStream.WriteAsync(message, cancelled).ConfigureAwait(false);
        }

        await _stream.RequestStream.CompleteAsync().ConfigureAwait(false);
    }

    public void Dispose() => _stream.Dispose();

    private static async Task<DaemonMessage?> NextAsync(AsyncDuplexStreamingCall<HostMessage, DaemonMessage> stream, CancellationToken cancelled) =>
        await stream.ResponseStream.MoveNext(cancelled).ConfigureAwait(false) ? stream.ResponseStream.Current : null;

    private static RpcException Unexpected(string expected) => new(new Status(StatusCode.Internal, $"The daemon did not answer {expected}."));
}
