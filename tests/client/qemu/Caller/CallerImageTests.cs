using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Hypercalls.Qemu.Caller;

namespace Hypercalls.Tests.Client.Qemu.Caller;

public sealed partial class CallerImageTests
{
    [NeedsFact("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objcopy")]
    public void Is_what_its_source_builds_to_byte_for_byte()
    {
        var folder = GuestImages.Run("client/qemu/Caller/build.sh");
        try
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(folder, "caller.bin")), CallerGuest.Image());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Ends_where_its_table_begins() => Assert.Equal(0, CallerGuest.Image().Length % CallerLayout.TableAlignment);

    [Fact]
    public void Its_layout_is_that_of_the_header_constant_by_constant()
    {
        var header = Definition().Matches(File.ReadAllText(GuestImages.Source("client/qemu/Caller/caller.h")))
            .ToDictionary(match => PascalCase(match.Groups["name"].Value), match => Number(match.Groups["value"].Value));
        var constants = typeof(CallerLayout).GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(field => field.Name, field => Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture));
        Assert.Equal(header.OrderBy(pair => pair.Key, StringComparer.Ordinal), constants.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.Equal(CallerLayout.RecordMemory, CallerLayout.RecordX + (CallerLayout.RecordRegisters * sizeof(ulong)));
    }

    private static string PascalCase(string name) =>
        string.Concat(name.Split('_').Select(word => char.ToUpperInvariant(word[0]) + word[1..].ToLowerInvariant()));

    private static long Number(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal)
            ? long.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : long.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^#define\s+(?<name>\w+)\s+(?<value>\w+)", RegexOptions.Multiline)]
    private static partial Regex Definition();
}
