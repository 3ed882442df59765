using System.Numerics;
using Hypercalls.Sdk;
using Hypercalls.Testkit;
using Hypercalls.Trng;

namespace Hypercalls.Tests.Trng;

/// <summary>DEN0098, row by row.</summary>
public sealed class TrngServiceTests
{
    private const uint Rnd32 = 0x8400_0053;
    private const uint Rnd64 = 0xC400_0053;

    private readonly TestMachine _machine = new(new TrngService());

    [Fact]
    public void Tells_its_version() => Assert.Equal(Answer.Value(0x1_0000), _machine.Call(0x8400_0050));

    [Theory]
    [InlineData(0x8400_0050u, 0)]  // TRNG_VERSION
    [InlineData(0x8400_0051u, 0)]  // TRNG_FEATURES
    [InlineData(0x8400_0052u, 0)]  // TRNG_GET_UUID
    [InlineData(0x8400_0053u, 0)]  // TRNG_RND, SMC32
    [InlineData(0xC400_0053u, 0)]  // TRNG_RND, SMC64
    [InlineData(0xC400_0050u, -1)] // no SMC64 twin
    [InlineData(0x8400_0054u, -1)] // the next number
    [InlineData(0x8400_0000u, -1)] // another family
    public void Tells_its_features(uint asked, long status) => Assert.Equal(Answer.Status(status), _machine.Call(0x8400_0051, asked));

    [Fact]
    public void An_AArch32_caller_has_no_SMC64_function()
    {
        Assert.Equal(Answer.Status(-1), _machine.Core(0).AArch32.Call(0x8400_0051, Rnd64));
        Assert.Equal(Answer.NotSupported, _machine.Core(0).AArch32.Call(Rnd64, 64));
    }

    [Fact]
    public void Names_its_back_end_by_the_bytes_of_its_UUID_in_textual_order()
    {
        // KVM's: 0d21e000-4384-11eb-8070-5244554e5a4c.
        var machine = new TestMachine(new TrngService(new() { Uuid = new("0d21e000-4384-11eb-8070-5244554e5a4c") }));
        Assert.Equal(Answer.Value(0x00e0_210d, 0xeb11_8443, 0x4452_7080, 0x4c5a_4e55), machine.Call(0x8400_0052));
    }

    [Theory]
    [InlineData(Rnd32, 0ul)]
    [InlineData(Rnd32, 97ul)]
    [InlineData(Rnd32, 0xFFFF_FFFFul)]
    [InlineData(Rnd64, 0ul)]
    [InlineData(Rnd64, 193ul)]
    [InlineData(Rnd64, 0x1_0000_0001ul)] // 64 bits count
    [InlineData(Rnd64, ulong.MaxValue)]
    public void Refuses_numbers_of_bits_that_there_are_not(uint id, ulong bits) => Assert.Equal(Answer.Status(-2), _machine.Call(id, bits));

    [Fact]
    public void An_SMC32_caller_s_upper_half_does_not_count() => Assert.Equal(0ul, _machine.Call(Rnd32, 0xFFFF_FFFF_0000_0001).X0);

    // The least significant word is in x3; what was not asked for is zero, and each bit that was is one in some call.
    [Theory]
    [InlineData(Rnd32, 1ul,   0x0000_0000ul, 0x0000_0000ul, 0x0000_0001ul)]
    [InlineData(Rnd32, 32ul,  0x0000_0000ul, 0x0000_0000ul, 0xFFFF_FFFFul)]
    [InlineData(Rnd32, 33ul,  0x0000_0000ul, 0x0000_0001ul, 0xFFFF_FFFFul)]
    [InlineData(Rnd32, 64ul,  0x0000_0000ul, 0xFFFF_FFFFul, 0xFFFF_FFFFul)]
    [InlineData(Rnd32, 95ul,  0x7FFF_FFFFul, 0xFFFF_FFFFul, 0xFFFF_FFFFul)]
    [InlineData(Rnd32, 96ul,  0xFFFF_FFFFul, 0xFFFF_FFFFul, 0xFFFF_FFFFul)]
    [InlineData(Rnd64, 1ul,   0ul, 0ul, 1ul)]
    [InlineData(Rnd64, 64ul,  0ul, 0ul, ulong.MaxValue)]
    [InlineData(Rnd64, 65ul,  0ul, 1ul, ulong.MaxValue)]
    [InlineData(Rnd64, 191ul, ulong.MaxValue >> 1, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(Rnd64, 192ul, ulong.MaxValue, ulong.MaxValue, ulong.MaxValue)]
    public void Gives_as_many_bits_as_were_asked_for(uint id, ulong bits, ulong x1, ulong x2, ulong x3)
    {
        var seen = (X1: 0ul, X2: 0ul, X3: 0ul);
        for (var i = 0; i < 100; i++)
        {
            var answer = _machine.Call(id, bits);
            Assert.Equal(0ul, answer.X0);
            seen = (seen.X1 | answer.X1, seen.X2 | answer.X2, seen.X3 | answer.X3);
        }

        Assert.Equal((x1, x2, x3), seen);
    }

    [Fact]
    public void Half_of_the_bits_are_ones()
    {
        var ones = Enumerable.Range(0, 1000).Select(_ => _machine.Call(Rnd64, 192)).Sum(answer => BitOperations.PopCount(answer.X1) + BitOperations.PopCount(answer.X2) + BitOperations.PopCount(answer.X3));
        Assert.InRange(ones, 96_000 - 2_000, 96_000 + 2_000);
    }

    [Fact]
    public void Has_no_entropy_as_often_as_the_operator_wants()
    {
        var machine = new TestMachine(new TrngService(new() { NoEntropyEvery = 3 }));
        Assert.Equal([0, 0, -3, 0, 0, -3], Enumerable.Range(0, 6).Select(_ => (long)machine.Call(Rnd64, 8).X0));
        Assert.Equal("NO_ENTROPY", machine.LastResult);
    }

    [Fact]
    public void A_UUID_that_reads_as_an_unknown_function_is_refused() => Assert.Equal(
        "ffffffff-0000-0000-0000-000000000000 begins with ffffffff, which a guest reads as an unknown function; choose another (Parameter 'Uuid')",
        Assert.Throws<ArgumentException>(() => new TrngService(new() { Uuid = new("ffffffff-0000-0000-0000-000000000000") })).Message);
}
