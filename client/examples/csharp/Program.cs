using Hypercalls.Examples;
using Hypercalls.Grpc;
using Hypercalls.Protos;

// dotnet run [ADDRESS]
using var channel = HttpChannel.ForAddress(args is [var address] ? GrpcAddress.Parse(address) : GrpcAddress.Unix(LocalSocket.DefaultPath));
await new ToyHost(Guest.CodeAt).RunAsync(channel.CreateCallInvoker(), Guest.Boot);
