using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Hypercalls.Tests.Protos;

/// <summary>Messages with every field set, by rule: a field's value follows from its number alone.</summary>
internal static class Filled
{
    private const int Deep = 4;

    /// <summary>One message for each choice among its oneofs, with a name that says which.</summary>
    public static IEnumerable<(string Name, IMessage Message)> Of(MessageDescriptor type)
    {
        var choices = type.RealOneofs().SelectMany(oneof => oneof.Fields).ToList();
        if (choices.Count == 0)
        {
            yield return (type.Name, One(type, null, 0));
        }

        foreach (var choice in choices)
        {
            yield return ($"{type.Name}.{choice.Name}", One(type, choice, 0));
        }
    }

    private static IEnumerable<OneofDescriptor> RealOneofs(this MessageDescriptor type) => type.Oneofs.Where(oneof => !oneof.IsSynthetic);

    private static IMessage One(MessageDescriptor type, FieldDescriptor? choice, int depth)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            var isOther = field.RealContainingOneof is { } oneof && field != (choice?.ContainingOneof == oneof ? choice : oneof.Fields[0]);
            if (isOther || (depth == Deep && field.FieldType == FieldType.Message))
            {
                continue;
            }

            if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                list.Add(Value(field, depth));
                list.Add(Value(field, depth));
            }
            else
            {
                field.Accessor.SetValue(message, Value(field, depth));
            }
        }

        return message;
    }

    private static object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.UInt32 => (uint)(field.FieldNumber * 0x1001),
        FieldType.UInt64 => ulong.MaxValue - (ulong)field.FieldNumber,
        FieldType.Int64 => -(long)field.FieldNumber,
        FieldType.Bool => true,
        FieldType.String => field.Name,
        FieldType.Bytes => ByteString.CopyFrom((byte)field.FieldNumber, 0, 0xFF),
        FieldType.Enum => field.EnumType.Values[^1].Number,
        FieldType.Message => One(field.MessageType, null, depth + 1),
        _ => throw new InvalidOperationException($"{field.FullName} has a type that no message of this wire had."),
    };
}
