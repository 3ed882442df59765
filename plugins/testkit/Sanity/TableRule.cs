using Hypercalls.Sdk;

namespace Hypercalls.Testkit.Sanity;

/// <summary>The service can be made, and its table be served.</summary>
internal static class TableRule
{
    public static string Judge(Subject subject)
    {
        try
        {
            var service = subject.Make();
            ArgumentException.ThrowIfNullOrWhiteSpace(service.Name);
            ArgumentException.ThrowIfNullOrWhiteSpace(service.Version);
            _ = new ServiceSet([service]);
            var ids = service.Rows.Sum(row => row.Ids.Count);
            return $"{service.Rows.Count} functions under {ids} identifiers";
        }
        catch (Exception e) when (e is not AbandonedException)
        {
            subject.Fault(Rules.Table, "", $"The service cannot be served: {e.Message.TrimEnd('.')}");
            return "no table";
        }
    }
}
