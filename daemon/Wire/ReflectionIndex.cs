using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using Hypercalls.Daemon.Wire.Grpc;

namespace Hypercalls.Daemon.Wire;

/// <summary>Answers questions about the files of the mapped services (GRPC Server Reflection Protocol).</summary>
internal sealed class ReflectionIndex
{
    private readonly GrpcServices _services;
    private readonly Lazy<Contents> _contents;

    public ReflectionIndex(GrpcServices services)
    {
        _services = services;

        // At the first question: by then every service is mapped.
        _contents = new Lazy<Contents>(() => new Contents(services.Descriptors));
    }

    public ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        var response = request.MessageRequestCase switch
        {
            ServerReflectionRequest.MessageRequestOneofCase.ListServices => Services(),
            ServerReflectionRequest.MessageRequestOneofCase.FileByFilename => Files(_contents.Value.ByName, request.FileByFilename, "file"),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol => Files(_contents.Value.BySymbol, request.FileContainingSymbol, "symbol"),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension =>
                Error(StatusCode.NotFound, $"There is no extension {request.FileContainingExtension.ExtensionNumber} of '{request.FileContainingExtension.ContainingType}' here."),
            ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType => Extensions(request.AllExtensionNumbersOfType),
            _ => Error(StatusCode.InvalidArgument, "The request asks for nothing this protocol knows."),
        };
        response.ValidHost = request.Host;
        response.OriginalRequest = request;
        return response;
    }

    private ServerReflectionResponse Services() => new()
    {
        ListServicesResponse = new ListServiceResponse { Service = { _services.Names.Select(name => new ServiceResponse { Name = name }) } },
    };

    private static ServerReflectionResponse Files(Dictionary<string, FileDescriptor> index, string key, string kind) =>
        index.TryGetValue(key, out var file)
            ? new ServerReflectionResponse
            {
                FileDescriptorResponse = new FileDescriptorResponse { FileDescriptorProto = { WithImports(file).Select(each => each.SerializedData) } },
            }
            : Error(StatusCode.NotFound, $"There is no {kind} '{key}' here.");

    // The files served are proto3, which has no extensions.
    private ServerReflectionResponse Extensions(string type) =>
        _contents.Value.BySymbol.ContainsKey(type)
            ? new ServerReflectionResponse { AllExtensionNumbersResponse = new ExtensionNumberResponse { BaseTypeName = type } }
            : Error(StatusCode.NotFound, $"There is no symbol '{type}' here.");

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };

    private static IEnumerable<FileDescriptor> WithImports(FileDescriptor file) =>
        file.Dependencies.SelectMany(WithImports).Prepend(file).Distinct();

    private sealed class Contents
    {
        public Contents(IEnumerable<ServiceDescriptor> services)
        {
            foreach (var file in services.SelectMany(service => WithImports(service.File)).Distinct())
            {
                ByName[file.Name] = file;
                foreach (var symbol in Symbols(file))
                {
                    BySymbol[symbol.FullName] = file;
                }
            }
        }

        public Dictionary<string, FileDescriptor> ByName { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, FileDescriptor> BySymbol { get; } = new(StringComparer.Ordinal);

        private static IEnumerable<IDescriptor> Symbols(FileDescriptor file) =>
            file.Services
                .SelectMany(service => service.Methods.Prepend<IDescriptor>(service))
                .Concat(file.EnumTypes)
                .Concat(file.MessageTypes.SelectMany(Symbols));

        private static IEnumerable<IDescriptor> Symbols(MessageDescriptor message) =>
            message.NestedTypes
                .SelectMany(Symbols)
                .Concat(message.EnumTypes)
                .Concat(message.Fields.InDeclarationOrder())
                .Prepend(message);
    }
}
