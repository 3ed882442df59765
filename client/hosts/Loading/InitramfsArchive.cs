using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Hypercalls.Hosts.Loading;

/// <summary>
/// Builds a gzip-compressed newc archive (Linux, initramfs buffer format). Behind another archive it adds to that one, and replaces files of the same name.
/// </summary>
public sealed class InitramfsArchive
{
    private const int Alignment = 4;
    private const uint RegularFile = 0x8000;
    private const uint Folder = 0x4000;

    private readonly List<byte> _archive = [];
    private uint _inode;

    /// <summary>Adds a file.</summary>
    /// <param name="path">Relative to the root, without a leading slash; folders above it must exist or have been added.</param>
    /// <param name="permissions">The low nine bits of its mode, as 0b111_101_101.</param>
    /// <param name="contents">At most 4 GiB.</param>
    public void AddFile(string path, uint permissions, ReadOnlySpan<byte> contents) => Add(path, RegularFile | permissions, contents);

    public void AddFolder(string path, uint permissions) => Add(path, Folder | permissions, []);

    /// <summary>The archive as it stands, with its trailer.</summary>
    public byte[] ToGzip()
    {
        var whole = new InitramfsArchive { _inode = _inode };
        whole._archive.AddRange(_archive);
        whole.Add("TRAILER!!!", 0, []);
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize))
        {
            gzip.Write([.. whole._archive]);
        }
        return compressed.ToArray();
    }

    private void Add(string path, uint mode, ReadOnlySpan<byte> contents)
    {
        var name = Encoding.UTF8.GetBytes(path + '\0');
        _inode++;
        _archive.AddRange("070701"u8);
        // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
        foreach (var field in (ReadOnlySpan<uint>)[_inode, mode, 0, 0, 1, 0, (uint)contents.Length, 0, 0, 0, 0, (uint)name.Length, 0])
        {
            _archive.AddRange(Encoding.ASCII.GetBytes(field.ToString("X8", CultureInfo.InvariantCulture)));
        }
        _archive.AddRange(name);
        Align();
        _archive.AddRange(contents);
        Align();
    }

    private void Align()
    {
        while (_archive.Count % Alignment != 0)
        {
            _archive.Add(0);
        }
    }
}
