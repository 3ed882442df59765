using Google.Protobuf;
using Hypercalls.Bench.Hosts;
using Hypercalls.Protos;

namespace Hypercalls.Bench.InProcess;

/// <summary>Reads exits and writes answers, and nothing between.</summary>
internal sealed class ProtobufBatch : IBatch
{
    private readonly byte[] _request = new VcpuMessage { Exit = PsciVersionCall.Exit(1000) }.ToByteArray();
    private readonly DaemonToVcpu _reply = new() { Answer = PsciVersionCall.Answer(1000) };
    private readonly byte[] _written = new byte[256];

    public void Prepare()
    {
    }

    public void Run()
    {
        for (var i = 0; i < IBatch.Calls; i++)
        {
            PsciVersionCall.CheckId(VcpuMessage.Parser.ParseFrom(_request).Exit.Hypercall.X0);
            _reply.WriteTo(_written.AsSpan(0, _reply.CalculateSize()));
        }
    }
}
