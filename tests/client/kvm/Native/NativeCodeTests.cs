using System.Text.RegularExpressions;

namespace Hypercalls.Tests.Client.Kvm.Native;

/// <summary>Unsafe code and calls into the C library of the KVM host stand in one folder.</summary>
public sealed partial class NativeCodeTests
{
    private const string Allowed = "client/kvm/Native/";

    [Fact]
    public void Stands_in_its_folder_alone()
    {
        var found = Sources().Where(source => IsNative(source.Text)).Select(source => source.Path).ToArray();
        Assert.NotEmpty(found);
        Assert.All(found, path => Assert.StartsWith(Allowed, path, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("internal static unsafe class A;")]
    [InlineData("unsafe { }")]
    [InlineData("void A(byte* p)")]
    [InlineData("private ulong* _p;")]
    [InlineData("fixed (char* p = text)")]
    [InlineData("delegate* unmanaged<int, void> handler")]
    [InlineData("[LibraryImport(\"libc\")]")]
    [InlineData("[System.Runtime.InteropServices.DllImport(\"libc\")]")]
    [InlineData("Unsafe.As<int, uint>(ref a)")]
    [InlineData("NativeLibrary.Load(name)")]
    [InlineData("MemoryMarshal.GetReference(span)")]
    public void Is_known_when_it_is_seen(string code) => Assert.True(IsNative(code));

    [Theory]
    [InlineData("var size = width * height;")]
    [InlineData("/* byte */ // an unsafe thing")]
    [InlineData("/// <summary>unsafe</summary>")]
    [InlineData("Say(\"unsafe byte* DllImport\");")]
    [InlineData("MemoryMarshal.AsBytes(span)")]
    [InlineData("UnsafeByteOperations.UnsafeWrap(bytes)")]
    public void Is_not_seen_where_there_is_none(string code) => Assert.False(IsNative(code));

    [Fact]
    public void Is_compiled_in_by_the_hosts_alone()
    {
        var projects = Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(Root, "*.props"))
            .Where(file => IsOurs(file) && File.ReadAllText(file).Contains("AllowUnsafeBlocks", StringComparison.Ordinal))
            .Select(Relative).Order(StringComparer.Ordinal);
        Assert.Equal(["client/kvm/Hypercalls.Kvm.csproj", "client/qemu/Hypercalls.Qemu.csproj"], projects);
    }

    private static string Root { get; } = FindRoot();

    private static (string Path, string Text)[] Sources()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Root, "client", "kvm"), "*.cs", SearchOption.AllDirectories).Where(IsOurs)
            .Select(file => (Relative(file), File.ReadAllText(file))).ToArray();
        Assert.True(sources.Length > 30);
        return sources;
    }

    private static bool IsOurs(string file) => !Relative(file).Split('/').Any(part => part is "obj" or "bin" or "artifacts" or ".git");

    private static string Relative(string file) => Path.GetRelativePath(Root, file);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Hypercalls.sln")))
        {
            folder = folder.Parent;
        }
        return folder?.FullName ?? throw new DirectoryNotFoundException("The tests do not run below the repository.");
    }

    private static bool IsNative(string text) => Native().IsMatch(NotCode().Replace(text, ""));

    [GeneratedRegex("""
        //[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\\n])*"
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.Singleline)]
    private static partial Regex NotCode();

    // A pointer's star follows its type at once and a name, or what ends a type, follows it.
    [GeneratedRegex(@"\bunsafe\b|\b(?:LibraryImport|DllImport)\b|\b(?:byte|sbyte|short|ushort|int|uint|long|ulong|char|void|nint|nuint|bool)\*|\bdelegate\*|\bUnsafe\.|\bNativeLibrary\.|\bNativeMemory\.|MemoryMarshal\.(?:GetReference|GetArrayDataReference)|Marshal\.(?:Read|Write|AllocHGlobal|PtrTo)")]
    private static partial Regex Native();
}
