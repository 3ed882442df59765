namespace Hypercalls.Sdk;

/// <summary>How many letters to insert, drop, change or swap with their neighbour to make one word of another.</summary>
internal static class EditDistance
{
    public static int Between(string from, string to)
    {
        var distance = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                distance[i, j] = i == 0 || j == 0 ? i + j : Step(distance, from, to, i, j);
            }
        }

        return distance[from.Length, to.Length];
    }

    private static int Step(int[,] distance, string from, string to, int i, int j)
    {
        var best = Math.Min(Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1, distance[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1));
        return i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]
            ? Math.Min(best, distance[i - 2, j - 2] + 1)
            : best;
    }
}
