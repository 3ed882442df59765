namespace Hypercalls.Testkit.Sanity;

/// <summary>The names of the rules.</summary>
internal static class Rules
{
    public const string Table = "table";
    public const string Answers = "answers";
    public const string Undefined = "undefined";
    public const string RandomCalls = "random calls";
    public const string Widths = "widths";
    public const string Families = "families";
    public const string Queries = "general queries";
    public const string Determinism = "determinism";
    public const string UpperHalves = "upper halves";
    public const string Restore = "save and restore";
    public const string Growth = "growth";
    public const string Deadline = "deadline";
}
