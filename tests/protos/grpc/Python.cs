using System.Diagnostics;

namespace Hypercalls.Tests.Protos.Grpc;

/// <summary>Programs on Google's own library, Debian's python3-grpcio.</summary>
internal sealed class Python : IDisposable
{
    public const string Interpreter = "/usr/bin/python3";
    public const string Grpcio = "/usr/lib/python3/dist-packages/grpc/__init__.py";
    public const string Protobuf = "/usr/lib/python3/dist-packages/google/protobuf/__init__.py";
    public const string Protoc = "/usr/bin/protoc";
    public const string Plugin = "/usr/bin/grpc_python_plugin";

    public DirectoryInfo Stubs { get; } = Directory.CreateTempSubdirectory("hypercalls-");

    public void Dispose() => Stubs.Delete(recursive: true);

    private static string Foreign(string name) => Path.Combine(AppContext.BaseDirectory, "foreign", name);

    /// <summary>Python's stubs of these files, by Debian's compiler.</summary>
    public async Task MakeStubsAsync(params string[] protos)
    {
        using var protoc = Run(
            Protoc,
            [$"-I{Foreign("")}", $"--python_out={Stubs.FullName}", $"--grpc_python_out={Stubs.FullName}", $"--plugin=protoc-gen-grpc_python={Plugin}", .. protos]);
        Assert.Equal((0, ""), await EndAsync(protoc));
    }

    public Process Start(string script, params string[] arguments) => Run(Interpreter, ["-B", Foreign(script), .. arguments]);

    private Process Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PYTHONPATH"] = Stubs.FullName;
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        return Process.Start(start)!;
    }

    /// <summary>The exit code and all that was printed; a program that does not end is killed.</summary>
    public static async Task<(int Code, string Output)> EndAsync(Process process)
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
