using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Hypercalls.Protos.Tls;

namespace Hypercalls.Tests.Protos.Tls;

public class PartyTests
{
    [Theory]
    // subject, party
    [InlineData("CN=rack1, OU=host", "host rack1")]
    [InlineData("OU=operator, CN=ann.b-c_d", "operator ann.b-c_d")]
    [InlineData("CN=build1.example, OU=daemon, O=Example, C=DE", "daemon build1.example")]
    [InlineData("CN=rack1", null)]
    [InlineData("OU=host", null)]
    [InlineData("CN=rack1, OU=Host", null)]
    [InlineData("CN=rack1, OU=root", null)]
    [InlineData("CN=rack1, CN=rack2, OU=host", null)]
    [InlineData("CN=rack1, OU=host, OU=operator", null)]
    [InlineData("CN=rack1+CN=rack2, OU=host", null)]
    [InlineData("CN=rack1/x, OU=host", null)]
    [InlineData("CN=\"rack 1\", OU=host", null)]
    [InlineData("CN=.., OU=host", null)]
    [InlineData("CN=räck, OU=host", null)]
    public void Is_named_by_one_CN_and_one_OU(string subject, string? party)
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Equal(party is not null, Party.TryOf(certificate, out var found));
        Assert.Equal(party, found?.ToString());
    }

    [Fact]
    public void A_subject_that_cannot_be_decoded_names_nobody()
    {
        // CN=a_b as a PrintableString, which has no _; OU=host
        var subject = Convert.FromHexString("301D310C300A06035504031303615F62310D300B060355040B0C04686F7374");
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest(new X500DistinguishedName(subject), key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.False(Party.TryOf(certificate, out _));
    }

    [Theory]
    [InlineData(Role.Daemon, "localhost")]
    [InlineData(Role.Host, "rack1")]
    [InlineData(Role.Operator, "0_-.")]
    public void Its_subject_names_it(Role role, string name)
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest(new Party(role, name).ToSubject(), key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.True(Party.TryOf(certificate, out var found));
        Assert.Equal(new Party(role, name), found);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a b", false)]
    [InlineData("a\n", false)]
    public void Names_are_plain(string name, bool isName) => Assert.Equal(isName, Party.IsName(name));

    [Fact]
    public void Names_have_at_most_64_characters()
    {
        Assert.True(Party.IsName(new('x', 64)));
        Assert.False(Party.IsName(new('x', 65)));
    }

    [Theory]
    [InlineData("rack1", true)]
    [InlineData("rack1/a", true)]
    [InlineData("rack1/a/b", true)]
    [InlineData("rack1/", false)]
    [InlineData("rack10", false)]
    [InlineData("rack", false)]
    [InlineData("rack2/rack1", false)]
    [InlineData("", false)]
    public void Owns_its_name_and_what_begins_with_it_and_a_slash(string machine, bool owns) =>
        Assert.Equal(owns, new Party(Role.Host, "rack1").Owns(machine));
}
