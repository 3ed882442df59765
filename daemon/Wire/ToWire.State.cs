using Hypercalls.Sdk;

namespace Hypercalls.Daemon.Wire;

/// <summary>What operators get: bounded, whatever services give.</summary>
internal static partial class ToWire
{
    /// <summary>Tags and lengths of one row within its table, at most.</summary>
    private const int RowOverhead = 8;

    /// <summary>The row that says how many are missing, beside its empty cells.</summary>
    private const int LastRowBytes = 64;

    public static Protos.RaiseReply Raised(in Raised raised) => new()
    {
        Result = (Protos.RaiseResult)raised.Result,
        Text = raised.Text.Length <= Limits.TextLength ? raised.Text : raised.Text[..Limits.TextLength] + "…",
    };

    /// <summary>A state: rows for which a reply has no room are counted in a last one.</summary>
    public static Protos.GetStateReply State(string json, ValueArray<StateTable> tables)
    {
        var reply = new Protos.GetStateReply { Json = json };
        var left = Limits.StateBytes - reply.CalculateSize() - RowOverhead;
        foreach (var table in tables)
        {
            var message = new Protos.StateTable { Title = table.Title, Columns = { table.Columns } };
            left -= message.CalculateSize() + LastRowBytes + (table.Columns.Count * 2) + (2 * RowOverhead);
            if (left < 0)
            {
                break;
            }

            left -= AddRows(table, message, left);
            reply.Tables.Add(message);
        }

        return reply;
    }

    /// <returns>The bytes that the rows take.</returns>
    private static int AddRows(StateTable table, Protos.StateTable message, int room)
    {
        var bytes = 0;
        for (var i = 0; i < table.Rows.Count; i++)
        {
            var row = new Protos.StateRow { Cells = { table.Rows[i] } };
            var size = row.CalculateSize() + RowOverhead;
            var isLastThatFits = message.Rows.Count == Limits.TableRows - 1 && table.Rows.Count > Limits.TableRows;
            if (isLastThatFits || size > room - bytes)
            {
                message.Rows.Add(new Protos.StateRow { Cells = { table.Columns.Select((_, column) => column == 0 ? $"… {table.Rows.Count - i} more rows" : "") } });
                break;
            }

            bytes += size;
            message.Rows.Add(row);
        }

        return bytes;
    }
}
