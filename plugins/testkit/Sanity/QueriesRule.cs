using System.Buffers.Binary;
using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>Call Count, Call UID and Revision of each owner say what the table and the service say (DEN0028, General service queries).</summary>
internal static class QueriesRule
{
    public static string Judge(Subject subject)
    {
        var stage = subject.On(MachineKind.All[0]);
        var service = stage.Service;
        HashSet<FunctionId> unserved = [.. stage.Machine.Services.Unversioned.Select(function => function.Id)];
        FunctionId[] counted = [.. service.Rows.SelectMany(row => row.Ids).Where(id => !id.IsGeneralQuery && !unserved.Contains(id))];
        var asked = 0;
        foreach (var query in FunctionNames.Functions.Where(function => function.Family == "General queries"))
        {
            var id = query.Ids[0];
            var owner = OwnerOf(id);
            var identity = service.Owners.FirstOrDefault(identity => identity.Owner == owner);
            var isOwn = service.Rows.Any(row => row.Ids.Contains(id));
            var expected = id.Number switch
            {
                0xFF00 when counted.Count(other => OwnerOf(other) == owner) is var count and > 0 => Answer.Value((uint)count),
                0xFF01 when identity?.Uid is { } uid => Words(uid),
                0xFF03 when identity?.Revision is { } revision => Answer.Value(revision.Major, revision.Minor),
                // What a service answers itself and says nowhere else is its own affair.
                0xFF01 or 0xFF03 when isOwn => null,
                _ => (Answer?)Answer.NotSupported,
            };
            asked++;
            if (expected is { } answer && stage.Play(new Step.Call(0, id)) is { } seen && !IsSame(seen.Answer, answer))
            {
                subject.Fault(Rules.Queries, query.Name, $"{query.Name} ({id}) answers {Registers(seen.Answer)}, and {Because(id, owner)} {Registers(answer)}");
            }
        }

        return $"{asked} queries";
    }

    private static string Because(FunctionId id, OwningEntity? owner) => id.Number == 0xFF00 ? $"the table has identifiers of {owner}, SMC32 and SMC64 each:" : $"the service declares for {owner}";

    private static bool IsSame(Answer one, Answer other) => (one.X0, one.X1, one.X2, one.X3) == (other.X0, other.X1, other.X2, other.X3);

    private static string Registers(Answer answer) => answer == Answer.NotSupported ? "NOT_SUPPORTED"
        : (answer.X1, answer.X2, answer.X3) == default ? $"0x{answer.X0:x}"
        : $"0x{answer.X0:x}, 0x{answer.X1:x}, 0x{answer.X2:x}, 0x{answer.X3:x}";

    private static Answer Words(Guid uid)
    {
        var bytes = uid.ToByteArray(bigEndian: true).AsSpan();
        return Answer.Value(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));
    }

    // Yielding calls are the Trusted OS's, but for those older than the convention.
    private static OwningEntity? OwnerOf(FunctionId id) => (id.IsFast, (int)id.Owner) switch
    {
        (true, >= 1 and <= 7) => id.Owner,
        (true, 48 or 49) => OwningEntity.TrustedApplication,
        (true, >= 50) or (false, >= 2) => OwningEntity.TrustedOs,
        _ => null,
    };
}
