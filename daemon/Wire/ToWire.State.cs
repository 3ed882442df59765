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
        List<ValueArray<ValueArray<string>>> rows = [];
        foreach (var table in tables)
        {
            // Heads first: a long table does not hide that there are others.
            var head = new Protos.StateTable { Title = table.Title, Columns = { table.Columns } };
            var size = head.CalculateSize() + LastRowBytes + (table.Columns.Count * 2) + (2 * RowOverhead);
            if (size <= left)
            {
                left -= size;
                reply.Tables.Add(head);
                rows.Add(table.Rows);
            }
        }

        for (var i = 0; i < rows.Count; i++)
        {
            left -= AddRows(rows[i], reply.Tables[i], left);
        }

        return reply;
    }

    /// <returns>The bytes that the rows take.</returns>
    private static int AddRows(ValueArray<ValueArray<string>> rows, Protos.StateTable table, int room)
    {
        var bytes = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            var row = new Protos.StateRow { Cells = { rows[i] } };
            var size = row.CalculateSize() + RowOverhead;
            var isLastThatFits = i == Limits.TableRows - 1 && rows.Count > Limits.TableRows;
            if (isLastThatFits || size > room - bytes)
            {
                table.Rows.Add(new Protos.StateRow { Cells = { table.Columns.Select((_, column) => column == 0 ? $"… {rows.Count - i} more rows" : "") } });
                break;
            }

            bytes += size;
            table.Rows.Add(row);
        }

        return bytes;
    }
}
