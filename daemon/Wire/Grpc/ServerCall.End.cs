using System.Globalization;
using Grpc.Core;
using Hypercalls.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon.Wire.Grpc;

internal sealed partial class ServerCall
{
    // HTTP/2 error codes (RFC 9113, Error Codes).
    private const int NoError = 0x0;
    private const int Cancel = 0x8;

    private async Task<Status> ServeAsync(Func<Task> serve)
    {
        try
        {
            await serve();
            return StatusCore;
        }
        catch (RpcException exception)
        {
            foreach (var entry in exception.Trailers)
            {
                ResponseTrailersCore.Add(entry);
            }

            return exception.Status;
        }
        catch (Exception exception)
        {
            if (_over || _callerGone || CancellationTokenCore.IsCancellationRequested)
            {
                LogEndedLate(exception, _method);
            }
            else
            {
                LogFailed(exception, _method);
            }

            return new Status(StatusCode.Unknown, $"{_method} has failed; the log of the daemon says how.");
        }
    }

    private void End(Status status)
    {
        lock (_gate)
        {
            if (!_over && !_callerGone && !_http.RequestAborted.IsCancellationRequested)
            {
                SetStatus(status);
            }

            _over = true;
        }
    }

    private async Task EndAtDeadlineAsync()
    {
        var reset = _http.Features.GetRequiredFeature<IHttpResetFeature>();
        Task completing;
        lock (_gate)
        {
            if (_over)
            {
                return;
            }

            _over = true;
            if (_http.RequestAborted.IsCancellationRequested)
            {
                return;
            }

            if (_flushing)
            {
                // A status would wait behind responses that the caller does not take.
                reset.Reset(Cancel);
                return;
            }

            SetStatus(new Status(StatusCode.DeadlineExceeded, "The deadline of the call has passed."));
            completing = _http.Response.CompleteAsync();
        }

        await completing;
        if (!_requestsEnded)
        {
            reset.Reset(NoError);
        }
    }

    // Alone in the headers where no message was sent and the call failed, else in trailers (gRPC over HTTP/2, Trailers-Only).
    private void SetStatus(Status status)
    {
        var trailers = EncodeTrailers(ref status);
        var alone = !_begun && status.StatusCode != StatusCode.OK;
        var block = alone ? _http.Response.Headers : _http.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers;
        block[GrpcHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (status.Detail.Length > 0)
        {
            block[GrpcHeaders.Message] = GrpcMessage.Encode(status.Detail);
        }

        if (alone && status.StatusCode == StatusCode.Unimplemented && NamesCompression)
        {
            block[GrpcHeaders.AcceptEncoding] = GrpcHeaders.Identity;
        }

        foreach (var (name, value) in trailers)
        {
            block.Append(name, value);
        }
    }

    private List<(string Name, string Value)> EncodeTrailers(ref Status status)
    {
        try
        {
            return [.. (_responseTrailers ?? []).Select(entry => (entry.Key, MetadataHeaders.Encode(entry)))];
        }
        catch (ArgumentException exception)
        {
            LogFailed(exception, _method);
            status = new Status(StatusCode.Unknown, $"{_method} has given trailers that cannot be sent.");
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} has failed.")]
    private partial void LogFailed(Exception exception, string method);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} ended with an exception after its call was over.")]
    private partial void LogEndedLate(Exception exception, string method);
}
