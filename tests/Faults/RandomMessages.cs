using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Hypercalls.Tests.Psci;

namespace Hypercalls.Tests.Faults;

/// <summary>Messages of any type with fields at their extremes.</summary>
internal sealed class RandomMessages(Dice dice)
{
    private const int Deep = 4;

    /// <summary>A message of that type whose every field is drawn.</summary>
    public T Of<T>()
        where T : IMessage<T>, new()
    {
        var message = new T();
        Fill(message, 0);
        return message;
    }

    /// <summary>The same, where the type is known at run time alone.</summary>
    public IMessage Of(MessageDescriptor type)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        Fill(message, 0);
        return message;
    }

    /// <summary>A copy with one to three fields drawn anew, anywhere in it.</summary>
    public T Mutate<T>(T source)
        where T : IMessage
    {
        var message = (T)source.Descriptor.Parser.ParseFrom(source.ToByteString());
        for (var changes = 1 + dice.Below(3); changes > 0; changes--)
        {
            ChangeOne(message);
        }

        return message;
    }

    private void ChangeOne(IMessage message)
    {
        var field = dice.OneOf<FieldDescriptor>([.. message.Descriptor.Fields.InDeclarationOrder()]);
        for (var depth = 0; field is not null; depth++)
        {
            var inner = Inner(message, field);
            if (inner is null || inner.Descriptor.Fields.InDeclarationOrder().Count == 0 || dice.OneIn(6))
            {
                Draw(message, field, depth);
                return;
            }

            message = inner;
            field = dice.OneOf<FieldDescriptor>([.. message.Descriptor.Fields.InDeclarationOrder()]);
        }
    }

    /// <summary>The message in a field, where there is one.</summary>
    private IMessage? Inner(IMessage message, FieldDescriptor field)
    {
        if (field.FieldType != FieldType.Message)
        {
            return null;
        }

        var value = field.Accessor.GetValue(message);
        return value is IList list ? list.Count > 0 ? (IMessage)list[dice.Below(list.Count)]! : null : (IMessage?)value;
    }

    private void Fill(IMessage message, int depth)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (!dice.OneIn(3))
            {
                Draw(message, field, depth);
            }
        }
    }

    private void Draw(IMessage message, FieldDescriptor field, int depth)
    {
        if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            if (dice.OneIn(3))
            {
                list.Clear();
            }

            for (var count = dice.OneIn(40) ? 1 + dice.Below(5000 >> (2 * depth)) : dice.Below(4); count > 0; count--)
            {
                list.Add(Value(field, depth));
            }
        }
        else if (dice.OneIn(6))
        {
            field.Accessor.Clear(message);
        }
        else
        {
            field.Accessor.SetValue(message, Value(field, depth));
        }
    }

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.UInt32 => (uint)Number(),
        FieldType.UInt64 => Number(),
        FieldType.Int32 => (int)Number(),
        FieldType.Int64 => (long)Number(),
        FieldType.Bool => dice.OneIn(2),
        FieldType.String => Text(),
        FieldType.Bytes => ByteString.CopyFrom(Mutations.Random(dice, dice.OneOf(0, 1, 15, 16, 17, 128, dice.OneIn(8) ? 60_000 : 32))),
        FieldType.Enum => dice.OneOf(-1, 0, 1, 2, 3, 4, 5, 6, 99, int.MaxValue, int.MinValue),
        _ => Message(field.MessageType, depth + 1),
    };

    private IMessage Message(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        if (depth < Deep)
        {
            Fill(message, depth);
        }

        return message;
    }

    private ulong Number() => dice.Below(6) switch
    {
        0 => 0,
        1 => (ulong)dice.Below(20),
        2 => dice.OneOf(0x4000_0000ul, 0x4008_0000ul, 0xffff_fffful, 0x1_0000_0000ul, 0xff_00ff_fffful, 0x8400_0000ul, 0xC400_0003ul, 0x8000_0000ul),
        3 => dice.OneOf(ulong.MaxValue, ulong.MaxValue - 1, 1ul << 63, (1ul << 63) - 1, 1ul << 31, (1ul << 31) - 1),
        4 => 1ul << dice.Below(64),
        _ => dice.Next() >> dice.Below(64),
    };

    private string Text() => dice.Below(9) switch
    {
        0 => "",
        1 => "fuzz",
        2 => new('a', 128),
        3 => new('b', 129),
        4 => "\u001b[2J\u202e\0\r\n",
        5 => new('\u20ac', 50),
        6 => "PSCI",
        7 => dice.OneIn(4) ? new('c', 60_000) : "CPU_ON",
        _ => char.ConvertFromUtf32(0x1f600 + dice.Below(64)),
    };
}
