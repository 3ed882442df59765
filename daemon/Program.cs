using System.CommandLine;
using Hypercalls.Daemon.Hosting;

var socket = new Option<string?>("--socket") { Description = "The local socket; by default in the user's runtime folder.", HelpName = "path" };
var listen = new Option<string?>("--listen") { Description = "A TCP address beside the socket, such as 127.0.0.1:7433.", HelpName = "address" };
var tls = new Option<string?>("--tls") { Description = "The folder with ca.pem, cert.pem and key.pem for --listen, as `hypercalls cert daemon` makes it: only clients with a certificate of that CA get in.", HelpName = "folder" };
var plugins = new Option<string?>("--plugins") { Description = "The plugin folder; by default beside the daemon.", HelpName = "folder" };
var settings = new Option<string?>("--settings") { Description = "The file of the services' settings; by default services.json beside the daemon.", HelpName = "file" };
var set = new Option<string[]>("--set") { Description = "One setting over those of the file, such as PSCI.version=1.0. Repeatable.", HelpName = "service.member=value" };
var keepGoing = new Option<bool>("--keep-going") { Description = "Start without services that do not load, refuse their settings or conflict with others; `hypercalls services` shows why." };
var stopWithInput = new Option<bool>("--stop-with-input") { Description = "Stop when standard input ends: for a daemon that must not outlive the process that started it." };
var root = new RootCommand("The Hypercalls daemon: answers the hypercalls that vCPU hosts forward to it.") { socket, listen, tls, plugins, settings, set, keepGoing, stopWithInput };
root.SetAction(parsed => DaemonHost.RunAsync(options =>
{
    options.Socket = parsed.GetValue(socket) ?? options.Socket;
    options.Listen = parsed.GetValue(listen) ?? options.Listen;
    options.Tls = parsed.GetValue(tls) ?? options.Tls;
    options.Plugins = parsed.GetValue(plugins) ?? options.Plugins;
    options.Settings = parsed.GetValue(settings) ?? options.Settings;
    options.Set = [.. options.Set, .. parsed.GetValue(set) ?? []];
    options.KeepGoing |= parsed.GetValue(keepGoing);
    options.StopWithInput |= parsed.GetValue(stopWithInput);
}));
root.Add(SanityMode.Create(plugins, settings, set));
var command = root.Parse(args);
if (command.Errors.Count > 0)
{
    foreach (var error in command.Errors)
    {
        Console.Error.WriteLine(error.Message);
    }

    return DaemonHost.Misconfigured;
}

return await command.InvokeAsync();
