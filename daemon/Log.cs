using Hypercalls.Daemon.Machines;
using Hypercalls.Sdk;
using Microsoft.Extensions.Logging;

namespace Hypercalls.Daemon;

/// <summary>Every line the daemon logs.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Listening on {Address} with {Services} services: {Names}")]
    public static partial void Listening(ILogger log, string address, int services, string names);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Machine} attached: {Host}, {Cores} cores, boot {Boot}")]
    public static partial void Attached(ILogger log, string machine, string host, int cores, ulong boot);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Machine}: {Sentence}")]
    public static partial void Shadowed(ILogger log, string machine, string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Machine}: {Sentence}")]
    public static partial void Remark(ILogger log, string machine, string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Function}")]
    public static partial void Unversioned(ILogger log, string function);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Machine} {How}: {Calls} calls, {Fallbacks} fallbacks, {Failures} failures")]
    public static partial void Left(ILogger log, string machine, string how, ulong calls, ulong fallbacks, ulong failures);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Machine}: {Peer} raised event {Event} of {Service}: {Result}")]
    public static partial void Raised(ILogger log, string machine, Peer peer, ulong @event, string service, RaiseResult result);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused: {Reason}")]
    public static partial void Refused(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused: {Peer}: {Reason}")]
    public static partial void RefusedConnection(ILogger log, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused: {Count} more connections, too many to list")]
    public static partial void RefusedMore(ILogger log, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "TCP takes holders of a certificate by the CA in {Folder}; the daemon's own expires on {Expires}")]
    public static partial void Secured(ILogger log, string folder, string expires);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Sentence}")]
    public static partial void CertificatesChanged(ILogger log, string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Sentence}")]
    public static partial void CertificatesFailed(ILogger log, string sentence);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Machine}: {Report}")]
    public static partial void Fault(ILogger log, string machine, string report);

    [LoggerMessage(Message = "{Line}")]
    public static partial void ServiceLine(ILogger log, LogLevel level, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} lines of this service were dropped: more than {Most} in a second are not kept")]
    public static partial void ServiceLinesDropped(ILogger log, int count, int most);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A plugin was left out: {Folder}: {Failure}")]
    public static partial void PluginLeftOut(ILogger log, string folder, string failure);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Service} is set to {Settings} by {Origin}")]
    public static partial void Settings(ILogger log, string service, string settings, string origin);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Settings were left out: {Sentence}")]
    public static partial void SettingsRefused(ILogger log, string sentence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Settings were left out: {Origin}: no service is named {Name}")]
    public static partial void SettingsLeftOut(ILogger log, string origin, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping: {Machines} machines are told")]
    public static partial void Stopping(ILogger log, int machines);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Machine} was lost more than {Seconds} s ago and is forgotten")]
    public static partial void Forgotten(ILogger log, string machine, int seconds);
}
