using System.IO.Compression;
using System.Text;
using Hypercalls.Hosts.Loading;

namespace Hypercalls.Tests.Client.Hosts;

public sealed class InitramfsArchiveTests
{
    [Fact]
    public void Is_newc_with_a_trailer()
    {
        var archive = new InitramfsArchive();
        archive.AddFolder("etc", 0b111_101_101);
        archive.AddFile("etc/a", 0b110_100_100, "hello"u8);
        using var gzip = new GZipStream(new MemoryStream(archive.ToGzip()), CompressionMode.Decompress);
        var text = new StreamReader(gzip, Encoding.Latin1).ReadToEnd().Replace('\0', '.');
        //       magic  inode    mode     uid      gid      nlink    mtime    filesize devmajor devminor rdevmajorrdevminornamesize check
        Assert.Equal(
            "070701" + "00000001" + "000041ED" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000004" + "00000000" + "etc..."
            + "070701" + "00000002" + "000081A4" + "00000000" + "00000000" + "00000001" + "00000000" + "00000005"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000006" + "00000000" + "etc/a." + "hello..."
            + "070701" + "00000003" + "00000000" + "00000000" + "00000000" + "00000001" + "00000000" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000" + "0000000B" + "00000000" + "TRAILER!!!....",
            text);
    }

    [NeedsFact("cpio", "gunzip")]
    public void Cpio_reads_it()
    {
        var archive = new InitramfsArchive();
        archive.AddFolder("d", 0b111_101_101);
        archive.AddFile("d/file", 0b111_101_101, "four"u8);
        var folder = Directory.CreateTempSubdirectory("hypercalls-tests-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "a.gz"), archive.ToGzip());
            using var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", ["-c", "gunzip -c a.gz | cpio --quiet -id"]) { WorkingDirectory = folder })!;
            shell.WaitForExit();
            Assert.Equal(0, shell.ExitCode);
            Assert.Equal("four", File.ReadAllText(Path.Combine(folder, "d/file")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
