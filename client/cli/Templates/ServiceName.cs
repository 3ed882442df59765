using System.Text.RegularExpressions;

namespace Hypercalls.Cli.Templates;

/// <summary>What a service may be called: its name becomes a namespace, the beginning of classes and of functions, and a member of services.json.</summary>
internal static partial class ServiceName
{
    private static readonly HashSet<string> s_keywords =
    [
        "abstract", "as", "base", "bool", "break", "byte", "case", "catch", "char", "checked", "class", "const", "continue", "decimal", "default",
        "delegate", "do", "double", "else", "enum", "event", "explicit", "extern", "false", "finally", "fixed", "float", "for", "foreach", "goto",
        "if", "implicit", "in", "int", "interface", "internal", "is", "lock", "long", "namespace", "new", "null", "object", "operator", "out",
        "override", "params", "private", "protected", "public", "readonly", "ref", "return", "sbyte", "sealed", "short", "sizeof", "stackalloc",
        "static", "string", "struct", "switch", "this", "throw", "true", "try", "typeof", "uint", "ulong", "unchecked", "unsafe", "ushort", "using",
        "virtual", "void", "volatile", "while",
    ];

    /// <summary>Types that the template uses: a namespace of that name would hide them.</summary>
    private static readonly HashSet<string> s_types =
        ["Answer", "Assert", "Fact", "FunctionTable", "FunctionTraits", "Hypercall", "Outcome", "Service", "TestMachine"];

    /// <summary>Why a service cannot be called so, in a sentence; null where it can.</summary>
    public static string? Fault(string name) =>
        !Identifier().IsMatch(name) ? $"{name} is no C# identifier: give letters, digits and '_', the first one no digit."
        : s_keywords.Contains(name) ? $"{name} is no C# identifier but a keyword; give another name."
        : s_types.Contains(name) ? $"{name} is a type that every service uses; give another name."
        : name.Equals("owners", StringComparison.OrdinalIgnoreCase) ? $"{name} is another member of services.json; give another name."
        : null;

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex Identifier();
}
