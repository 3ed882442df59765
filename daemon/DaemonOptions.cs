namespace Hypercalls.Daemon;

/// <summary>The daemon's settings: appsettings.json, then environment (HYPERCALLS_*), then command line, the later the stronger.</summary>
internal sealed class DaemonOptions
{
    /// <summary>The local socket; by default in the user's runtime folder.</summary>
    public string? Socket { get; set; }

    /// <summary>A TCP address such as 127.0.0.1:7433, beside the socket; none by default.</summary>
    public string? Listen { get; set; }

    /// <summary>The folder with ca.pem, cert.pem and key.pem that the TCP address speaks TLS with; clear text without.</summary>
    public string? Tls { get; set; }

    /// <summary>One folder per plugin; by default "plugins" beside the daemon.</summary>
    public string? Plugins { get; set; }

    /// <summary>The file of the services' settings; by default services.json beside the daemon, if it is there.</summary>
    public string? Settings { get; set; }

    /// <summary>Single settings over the file's, such as PSCI.version=1.0.</summary>
    public string[] Set { get; set; } = [];

    /// <summary>Start without services that do not load, refuse their settings or conflict with others.</summary>
    public bool KeepGoing { get; set; }

    /// <summary>Stop when standard input ends.</summary>
    public bool StopWithInput { get; set; }

    /// <summary>A call past this, in milliseconds, never commits.</summary>
    public int DeadlineMs { get; set; } = 1000;

    /// <summary>A host falls back after this, in milliseconds; longer than the daemon's.</summary>
    public int HostDeadlineMs { get; set; } = 2000;

    /// <summary>How long a machine whose host is gone is kept for it, in seconds.</summary>
    public int KeepLostSeconds { get; set; } = 60;

    public TimeSpan Deadline => TimeSpan.FromMilliseconds(DeadlineMs);

    public TimeSpan HostDeadline => TimeSpan.FromMilliseconds(HostDeadlineMs);

    public TimeSpan KeepLost => TimeSpan.FromSeconds(KeepLostSeconds);
}
