using System.Reflection;
using System.Text.RegularExpressions;
using Hypercalls.Tests.Daemon;

namespace Hypercalls.Tests.Docs;

/// <summary>docs/PROMISES.md names tests that there are.</summary>
public sealed partial class PromisesTests
{
    private static readonly string s_page = Path.Combine(TestDaemon.Artifacts, "..", "docs", "PROMISES.md");

    [Fact]
    public void Each_promise_has_a_number_of_its_own_in_order_and_a_test_or_is_pending()
    {
        var rows = Row().Matches(File.ReadAllText(s_page));
        var numbers = rows.Select(row => (Part: int.Parse(row.Groups["part"].Value), Number: int.Parse(row.Groups["number"].Value))).ToList();
        Assert.NotEmpty(numbers);
        Assert.Equal(numbers.GroupBy(number => number.Part).SelectMany(part => Enumerable.Range(1, part.Count()).Select(number => (part.Key, number))), numbers);
        Assert.DoesNotContain(rows, row => Name().Count(row.Groups["tests"].Value) == 0 && !row.Groups["tests"].Value.Contains("*pending*", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_test_that_it_names_is_one()
    {
        var tests = Assembly.GetExecutingAssembly().GetTypes()
            .SelectMany(type => type.GetMethods().Where(method => method.GetCustomAttributes<FactAttribute>().Any()).Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet();
        var named = Row().Matches(File.ReadAllText(s_page)).SelectMany(row => Name().Matches(row.Groups["tests"].Value)).Select(name => name.Groups["name"].Value);
        Assert.Equal([], named.Except(tests));
    }

    [GeneratedRegex(@"^\| (?<part>\d+)\.(?<number>\d+) \| (?<promise>[^|]+\.) \| (?<tests>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<name>[^`]+)`")]
    private static partial Regex Name();
}
