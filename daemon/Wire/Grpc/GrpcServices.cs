using Google.Protobuf.Reflection;

namespace Hypercalls.Daemon.Wire.Grpc;

/// <summary>The gRPC services that are mapped, by name, with their descriptors: what health and reflection tell about.</summary>
internal sealed class GrpcServices
{
    private readonly SortedDictionary<string, ServiceDescriptor> _services = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _services.Keys;

    public IReadOnlyCollection<ServiceDescriptor> Descriptors => _services.Values;

    public bool Contains(string name) => _services.ContainsKey(name);

    /// <summary>False when it is the first one.</summary>
    public bool Add(ServiceDescriptor service)
    {
        if (!_services.TryAdd(service.FullName, service))
        {
            throw new InvalidOperationException($"The service {service.FullName} is mapped twice.");
        }

        return _services.Count > 1;
    }
}
