using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Hypercalls.Hosts.Loading;

namespace Hypercalls.RealKernels;

/// <summary>A real kernel with KVM in an emulated machine that has EL2, and the agent in it: neither outlives this.</summary>
public sealed class RealMachine : IDisposable
{
    /// <summary>After this long without an answer the agent is taken for dead.</summary>
    internal const int CallMilliseconds = 60_000;

    private const int Ports = 1 + AgentLayout.VcpuPorts;
    private const int LinesKept = 20;
    private const uint Executable = 0b111_101_101;

    private static readonly TimeSpan BuildPatience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);

    private readonly string _folder;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<int> _freeVcpus = new(Enumerable.Range(0, AgentLayout.VcpuPorts));
    private readonly List<AgentPort> _ports = [];
    private Process? _qemu;

    private RealMachine(string folder) => _folder = folder;

    /// <summary>As uname says it.</summary>
    public string Release { get; private set; } = "";

    public string Architecture { get; private set; } = "";

    internal AgentPort Control => _ports[0];

    /// <summary>Boots a kernel until its agent says that it is there; throws <see cref="RealKernelException"/>.</summary>
    /// <param name="kernel">One that is there.</param>
    /// <param name="cores">Those of the machine that KVM runs on. More run vCPUs at once, and take this machine's from the test itself: calls then take longer, and less evenly.</param>
    /// <param name="memoryMiB">Of that machine; its guests' memory is part of it.</param>
    /// <param name="patience">3 minutes unless told.</param>
    public static RealMachine Boot(RealKernel kernel, int cores = 1, int memoryMiB = 1024, TimeSpan? patience = null)
    {
        var machine = new RealMachine(Directory.CreateTempSubdirectory("hypercalls-kernel-").FullName);
        try
        {
            machine.Start(kernel, cores, memoryMiB, patience ?? TimeSpan.FromMinutes(3));
            return machine;
        }
        catch
        {
            machine.Dispose();
            throw;
        }
    }

    /// <summary>What its guests left: tests assert that it is nothing.</summary>
    public (uint Descriptors, uint Mappings, uint Vcpus) Leftovers()
    {
        using var call = Control.Begin(AgentLayout.Leftovers);
        return call.Send() >= 0 ? (call.TakeUInt32(), call.TakeUInt32(), call.TakeUInt32()) : throw Failure("The agent cannot read its own descriptors");
    }

    public void Dispose()
    {
        // First of all, so that a thread that is still in a call learns why it ends.
        if (_qemu is not null)
        {
            try
            {
                _qemu.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has ended by itself meanwhile.
            }
            _qemu.WaitForExit();
        }
        foreach (var port in _ports)
        {
            port.Dispose();
        }
        _qemu?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal AgentPort Vcpu(int index) => _ports[1 + index];

    internal bool TryTakeVcpuPort(out int index) => _freeVcpus.TryDequeue(out index);

    internal void GiveVcpuPortBack(int index) => _freeVcpus.Enqueue(index);

    internal RealKernelException Failure(string what, Exception? inner = null)
    {
        return new($"{what}{End()}. Its last lines:{string.Concat(_lines.Select(line => "\n  " + line))}", inner ?? new IOException(what));
    }

    // Where the machine is ending, its last words and its exit code are worth a wait.
    private string End()
    {
        try
        {
            return _qemu is { } qemu && qemu.WaitForExit(EndPatience) && qemu.WaitForExitAsync().Wait(EndPatience)
                ? string.Create(CultureInfo.InvariantCulture, $"; QEMU ended with code {qemu.ExitCode}")
                : "";
        }
        catch (InvalidOperationException)
        {
            return "; the machine has been disposed of";
        }
    }

    private void Start(RealKernel kernel, int cores, int memoryMiB, TimeSpan patience)
    {
        if (kernel.Missing is { } why)
        {
            throw new RealKernelException(why);
        }
        MakeInitramfs(kernel);
        var deadline = DateTime.UtcNow + patience;
        var listeners = Enumerable.Range(0, Ports).Select(Listen).ToList();
        try
        {
            _qemu = StartQemu(kernel, cores, memoryMiB);
            foreach (var listener in listeners)
            {
                _ports.Add(new(Accept(listener, deadline), this));
            }
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
        foreach (var port in _ports)
        {
            using var hello = port.ReceiveHello(Left(deadline));
            var name = Encoding.UTF8.GetString(hello.Take(hello.Left)).Split('\n');
            if (hello.Result != AgentLayout.Protocol || name.Length != 2)
            {
                throw Failure($"The agent speaks protocol {hello.Result}, not {AgentLayout.Protocol}");
            }
            (Release, Architecture) = (name[0], name[1]);
        }
    }

    private string Initramfs => Path.Combine(_folder, "initramfs");

    // The agent, and the modules of a kernel if it has any.
    private void MakeInitramfs(RealKernel kernel)
    {
        BuildAgent();
        var archive = new InitramfsArchive();
        archive.AddFile("init", Executable, File.ReadAllBytes(Path.Combine(_folder, "init")));
        archive.AddFolder("modules", Executable);
        foreach (var module in Directory.Exists(kernel.Modules) ? Directory.GetFiles(kernel.Modules, "*.ko") : [])
        {
            archive.AddFile($"modules/{Path.GetFileName(module)}", Executable, File.ReadAllBytes(module));
        }
        File.WriteAllBytes(Initramfs, archive.ToGzip());
    }

    private void BuildAgent()
    {
        var script = Path.Combine(Path.GetDirectoryName(Source())!, "Agent", "build.sh");
        using var build = Process.Start(new ProcessStartInfo("sh", [script, _folder]) { RedirectStandardError = true })!;
        var errors = build.StandardError.ReadToEndAsync();
        if (!build.WaitForExit(BuildPatience))
        {
            build.Kill(entireProcessTree: true);
            throw new RealKernelException($"{script} did not end.");
        }
        if (build.ExitCode != 0)
        {
            throw new RealKernelException($"{script}: {errors.Result}");
        }
    }

    // QEMU connects, so that nothing has to look whether it listens yet.
    private Socket Listen(int port)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath(port)));
        listener.Listen(1);
        return listener;
    }

    private Socket Accept(Socket listener, DateTime deadline)
    {
        var accepted = listener.AcceptAsync();
        var ended = _qemu!.WaitForExitAsync();
        return Task.WhenAny(accepted, ended).Wait(Left(deadline)) && accepted.IsCompletedSuccessfully ? accepted.Result : throw Failure("QEMU did not come up");
    }

    private Process StartQemu(RealKernel kernel, int cores, int memoryMiB)
    {
        var qemu = new Process { StartInfo = new("qemu-system-aarch64", Arguments(kernel, cores, memoryMiB)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true } };
        qemu.OutputDataReceived += (_, line) => Keep(line.Data);
        qemu.ErrorDataReceived += (_, line) => Keep(line.Data);
        try
        {
            qemu.Start();
        }
        catch (Win32Exception e)
        {
            qemu.Dispose();
            throw new RealKernelException($"qemu-system-aarch64 cannot be started: {e.Message}.", e);
        }
        qemu.StandardInput.Close();
        qemu.BeginOutputReadLine();
        qemu.BeginErrorReadLine();
        return qemu;
    }

    private IEnumerable<string> Arguments(RealKernel kernel, int cores, int memoryMiB) =>
    [
        "-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-no-reboot",
        "-machine", "virt,virtualization=on,gic-version=3",
        // The architected algorithm of pointer authentication, and SVE, cost most of the time there is.
        "-cpu", "max,pauth-impdef=on,sve=off",
        "-accel", "tcg,thread=multi,tb-size=256",
        "-smp", cores.ToString(CultureInfo.InvariantCulture),
        "-m", string.Create(CultureInfo.InvariantCulture, $"{memoryMiB}M"),
        "-kernel", kernel.Image,
        "-initrd", Initramfs,
        "-append", "console=ttyAMA0 panic=-1 quiet rdinit=/init",
        "-serial", "stdio",
        // Port 0 is a console's. A vector for each queue, of which a port and the device itself have two: shared, they cost a call a third more.
        "-device", string.Create(CultureInfo.InvariantCulture, $"virtio-serial-pci,max_ports={Ports + 1},vectors={(2 * (Ports + 2)) + 1}"),
        .. Enumerable.Range(0, Ports).SelectMany(port => (string[])
        [
            "-chardev", $"socket,id=port{port},path={SocketPath(port).Replace(",", ",,", StringComparison.Ordinal)}",
            "-device", $"virtserialport,chardev=port{port},name={(port == 0 ? "hc.control" : $"hc.vcpu{port - 1}")}",
        ]),
    ];

    private string SocketPath(int port) => Path.Combine(_folder, $"port{port}");

    private static TimeSpan Left(DateTime deadline)
    {
        var left = deadline - DateTime.UtcNow;
        // 0 would be for ever.
        return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }
        _lines.Enqueue(line.TrimEnd());
        while (_lines.Count > LinesKept)
        {
            _lines.TryDequeue(out _);
        }
    }

    private static string Source([CallerFilePath] string here = "") => here;
}
