using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hypercalls.Sdk;

namespace Hypercalls.Tests.Sdk;

public sealed class SettingsTests
{
    [Fact]
    public void Members_that_are_left_out_have_their_defaults() => Assert.Equal(new Chosen(), Read("{}"));

    [Fact]
    public void Reads_the_types_of_the_sdk_as_people_write_them() => Assert.Equal(
        new Chosen
        {
            Version = new(1, 10),
            Core = Mpidr.FromRegister(0x3_0002_0104),
            Cores = [Mpidr.FromRegister(1), Mpidr.FromRegister(0x102), Mpidr.FromRegister(0xFF_0000_0003)],
            Function = new(0xC400_0003),
            Conduit = Conduit.Hvc,
            Uid = new("28b46fb6-2ec5-11e9-a9ca-4b564d003a74"),
            Base = 0x4008_0000,
            Delta = -5,
            Code = 0x3B,
            Nested = new() { Code = 7, Text = "seven" },
            Own = "SHOUTED",
        },
        Read(
            """
            {
                "version": "1.10", "core": "3.2.1.4", "CORES": [1, "0.0.1.2", "0xFF00000003"], "function": "0xC400_0003", "conduit": "hvc",
                "uid": "28b46fb6-2ec5-11e9-a9ca-4b564d003a74", "base": "0x4008_0000", "delta": -5, "code": 59, "nested": { "code": 7, "text": "seven" },
                "own": "shouted"
            }
            """));

    [Theory]
    // given, path, sentence
    [InlineData("""{ "verson": "1.1" }""", "verson", "there is no such setting; did you mean version?")]
    [InlineData("""{ "x": 1 }""", "x", "there is no such setting; there are version, core, cores, function, conduit, uid, base, delta, code, nested, own, list")]
    [InlineData("""{ "nested": { "cod": 1 } }""", "nested.cod", "there is no such setting; did you mean code?")]
    [InlineData("""{ "readOnly": 1 }""", "readOnly", "there is no such setting; there are version, core, cores, function, conduit, uid, base, delta, code, nested, own, list")]
    [InlineData("""{ "version": 1.1 }""", "version", "give a version in quotes, such as \"1.1\"")]
    [InlineData("""{ "version": null }""", "version", "give a version in quotes, such as \"1.1\"")]
    [InlineData("""{ "core": "0.0.3" }""", "core", "give an affinity such as \"0.0.0.3\"")]
    [InlineData("""{ "core": "0.0.0.256" }""", "core", "give an affinity such as \"0.0.0.3\"")]
    [InlineData("""{ "core": 2147483648 }""", "core", "give an affinity such as \"0.0.0.3\"")] // bit 31 of MPIDR_EL1 is no affinity
    [InlineData("""{ "cores": ["0.0.0.1", {}] }""", "cores[1]", "give an affinity such as \"0.0.0.3\"")]
    [InlineData("""{ "cores": 1 }""", "cores", "give a list")]
    [InlineData("""{ "cores": [null] }""", "cores[0]", "give an affinity such as \"0.0.0.3\"")]
    [InlineData("""{ "function": "CPU_ON" }""", "function", "give a function identifier such as \"0xC400_0003\"")]
    [InlineData("""{ "conduit": "svc" }""", "conduit", "give one of Smc, Hvc")]
    [InlineData("""{ "conduit": 1 }""", "conduit", "give one of Smc, Hvc")]
    [InlineData("""{ "uid": "28b46fb6" }""", "uid", "give a UUID such as 28b46fb6-2ec5-11e9-a9ca-4b564d003a74")]
    [InlineData("""{ "base": -1 }""", "base", "give a whole number from 0 to 18446744073709551615")]
    [InlineData("""{ "delta": 2147483648 }""", "delta", "give a whole number from -2147483648 to 2147483647")]
    [InlineData("""{ "delta": "0xFFFFFFFF" }""", "delta", "give a whole number from -2147483648 to 2147483647")]
    [InlineData("""{ "code": 256 }""", "code", "give a whole number from 0 to 255")]
    [InlineData("""{ "code": "0x100" }""", "code", "give a whole number from 0 to 255")]
    [InlineData("""{ "code": "59" }""", "code", "give a whole number from 0 to 255")]
    [InlineData("""{ "code": 1.5 }""", "code", "give a whole number from 0 to 255")]
    [InlineData("""{ "code": true }""", "code", "give a whole number from 0 to 255")]
    [InlineData("""{ "nested": 5 }""", "nested", "give an object of its members")]
    [InlineData("""{ "nested": { "text": 5 } }""", "nested.text", "give a text")]
    [InlineData("""{ "nested": {} }""", "nested", "code is missing")]
    [InlineData("""{ "list": [{ "code": 1 }, { "code": "z" }] }""", "list[1].code", "give a whole number from 0 to 255")]
    [InlineData("""{ "list": [null] }""", "list[0]", "give an object of its members")]
    [InlineData("""{ "own": "quiet please" }""", "own", "one word alone can be shouted")]
    public void A_wrong_member_is_named_with_what_it_takes(string json, string path, string sentence)
    {
        var fault = Assert.Throws<SettingsException>(() => Read(json));
        Assert.Equal((path, sentence), (fault.Path, fault.Message));
    }

    [Theory]
    [InlineData(typeof(WithSettings), typeof(Chosen))]
    [InlineData(typeof(WithBoth), typeof(Chosen))]
    [InlineData(typeof(WithNothing), null)]
    public void A_service_takes_settings_by_its_constructor(Type service, Type? settings)
    {
        Assert.Equal(settings, Settings.TypeOf(service));
        Assert.Equal("0", Settings.Create(service).Version);
    }

    [Fact]
    public void A_service_gets_what_was_set() => Assert.Equal("2.5", Settings.Create(typeof(WithSettings), Members("""{ "version": "2.5" }""")).Version);

    [Theory]
    [InlineData(typeof(WithNothing), "{}", "", "this service takes no settings; leave them away")]
    [InlineData(typeof(WithSettings), """{ "code": 3 }""", "code", "3 is the code of another")]
    [InlineData(typeof(WithSettings), """{ "Nested": { "Code": 3 } }""", "Nested.Code", "3 is the code of another")]
    [InlineData(typeof(WithSettings), """{ "delta": 3 }""", "", "delta must be even")]
    [InlineData(typeof(WithSettings), """{ "delta": 5 }""", "", "delta must be even")]
    public void A_service_s_own_refusal_is_its_sentence(Type service, string json, string path, string sentence)
    {
        var fault = Assert.Throws<SettingsException>(() => Settings.Create(service, Members(json)));
        Assert.Equal((path, sentence), (fault.Path, fault.Message));
    }

    [Theory]
    [InlineData(typeof(WithoutUse), "WithoutUse has no public constructor that takes nothing, or at most settings (a public class with a public parameterless constructor) and an IServiceLog")]
    [InlineData(typeof(WithTwo), "WithTwo has 2 constructors that take settings or a log; leave it one")]
    public void A_service_that_cannot_be_made_says_why(Type service, string sentence) =>
        Assert.Equal(sentence, Assert.Throws<SettingsException>(() => Settings.Create(service)).Message);

    private static Chosen Read(string json) => (Chosen)Settings.Read(typeof(Chosen), Members(json));

    private static JsonObject Members(string json) => JsonNode.Parse(json)!.AsObject();

    public sealed record Chosen
    {
        public Version Version { get; init; } = new(0, 0);

        public Mpidr Core { get; init; }

        public ValueArray<Mpidr> Cores { get; init; }

        public FunctionId Function { get; init; }

        public Conduit Conduit { get; init; } = Conduit.Smc;

        public Guid? Uid { get; init; }

        public ulong Base { get; init; }

        public int Delta { get; init; }

        public byte Code { get; init; }

        public Inner? Nested { get; init; }

        [JsonConverter(typeof(Shouting))]
        public string Own { get; init; } = "";

        public ValueArray<Inner> List { get; init; }

        public int ReadOnly => Delta + 1;
    }

    public sealed record Inner
    {
        public required byte Code { get; init; }

        public string Text { get; init; } = "";
    }

    public sealed class Shouting : JsonConverter<string>
    {
        public override string Read(ref System.Text.Json.Utf8JsonReader reader, Type typeToConvert, System.Text.Json.JsonSerializerOptions options) =>
            reader.GetString() is { } word && !word.Contains(' ', StringComparison.Ordinal)
                ? word.ToUpperInvariant()
                : throw new System.Text.Json.JsonException("one word alone can be shouted");

        public override void Write(System.Text.Json.Utf8JsonWriter writer, string value, System.Text.Json.JsonSerializerOptions options) =>
            writer.WriteStringValue(value);
    }

    public abstract class Bare : Service<TableOf>
    {
        public override string Name => "BARE";

        public override string Version => "0";

        public override FunctionTable<TableOf> Functions { get; } = [];
    }

    public sealed record TableOf;

    public sealed class WithNothing : Bare;

    public sealed class WithSettings(Chosen settings) : Bare
    {
        public override string Version { get; } = Check(settings);

        private static string Check(Chosen settings)
        {
            if (settings.Code == 3)
            {
                throw Refusal("3 is the code of another.", nameof(Chosen.Code));
            }

            if (settings.Nested?.Code == 3)
            {
                throw Refusal("3 is the code of another.", "nested.code");
            }

            if (settings.Delta == 5)
            {
                throw Refusal("delta must be even", null);
            }

            return settings.Delta % 2 == 0
                ? settings.Version == new Version(0, 0) ? "0" : settings.Version.ToString()
                : throw new ArgumentException("delta must be even", nameof(settings));
        }

        private static ArgumentException Refusal(string sentence, string? member) => new(sentence, member);
    }

    public sealed class WithBoth : Bare
    {
        public WithBoth()
            : this(new Chosen())
        {
        }

        public WithBoth(Chosen settings) => Chosen = settings;

        public Chosen Chosen { get; }
    }

    public sealed class WithoutUse(int number) : Bare
    {
        public int Number => number;
    }

    public sealed class WithTwo : Bare
    {
        public WithTwo(Chosen settings) => Taken = settings;

        public WithTwo(Inner settings) => Taken = settings;

        public object Taken { get; }
    }
}
