using System.Buffers.Binary;
using System.Net.Sockets;

namespace Hypercalls.RealKernels;

/// <summary>One virtio-serial port of the agent: a request at a time, each answered before the next.</summary>
internal sealed class AgentPort(Socket socket, RealMachine machine) : IDisposable
{
    private const int LengthSize = 4;

    private readonly Lock _gate = new();
    private readonly byte[] _frame = new byte[LengthSize + AgentLayout.FrameLimit];

    /// <summary>What the agent says unasked: the protocol's version, and uname's release and machine.</summary>
    public AgentCall ReceiveHello(TimeSpan patience)
    {
        var call = new AgentCall(this);
        call.Receive((int)patience.TotalMilliseconds);
        return call;
    }

    /// <summary>The port is this caller's until the call is disposed of.</summary>
    public AgentCall Begin(uint op)
    {
        var call = new AgentCall(this);
        call.Put(op);
        return call;
    }

    public void Dispose() => socket.Dispose();

    /// <summary>A request as it is put together, then its reply as it is taken apart.</summary>
    internal ref struct AgentCall : IDisposable
    {
        private readonly AgentPort _port;
        private int _at = LengthSize;
        private int _end;

        public AgentCall(AgentPort port)
        {
            port._gate.Enter();
            _port = port;
        }

        public int Result { get; private set; }

        /// <summary>What is not yet taken of the reply.</summary>
        public readonly int Left => _end - _at;

        public void Put(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_port._frame.AsSpan(_at), value);
            _at += sizeof(uint);
        }

        public void Put(int value) => Put((uint)value);

        public void Put(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_port._frame.AsSpan(_at), value);
            _at += sizeof(ulong);
        }

        public void Put(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_port._frame.AsSpan(_at));
            _at += bytes.Length;
        }

        public void Put(ReadOnlySpan<ulong> values)
        {
            foreach (var value in values)
            {
                Put(value);
            }
        }

        /// <summary>Sends the request and waits for its reply.</summary>
        /// <param name="milliseconds">0: as long as the agent lives.</param>
        public int Send(int milliseconds = RealMachine.CallMilliseconds)
        {
            BinaryPrimitives.WriteInt32LittleEndian(_port._frame, _at - LengthSize);
            _port.Send(_port._frame.AsSpan(0, _at));
            Receive(milliseconds);
            return Result;
        }

        public void Receive(int milliseconds)
        {
            _port.Receive(_port._frame.AsSpan(0, LengthSize), milliseconds);
            var length = BinaryPrimitives.ReadInt32LittleEndian(_port._frame);
            if (length is < sizeof(int) or > AgentLayout.FrameLimit)
            {
                throw _port.Gone($"The agent sent a frame of {length} bytes");
            }
            _port.Receive(_port._frame.AsSpan(0, length), milliseconds);
            Result = BinaryPrimitives.ReadInt32LittleEndian(_port._frame);
            _at = sizeof(int);
            _end = length;
        }

        public ReadOnlySpan<byte> Take(int count)
        {
            if (count > Left)
            {
                throw _port.Gone($"The agent's reply lacks {count - Left} bytes");
            }
            var bytes = _port._frame.AsSpan(_at, count);
            _at += count;
            return bytes;
        }

        public uint TakeUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

        public ulong TakeUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

        public void Take(Span<ulong> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = TakeUInt64();
            }
        }

        public readonly void Dispose() => _port._gate.Exit();
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            socket.SendTimeout = RealMachine.CallMilliseconds;
            while (!bytes.IsEmpty)
            {
                bytes = bytes[socket.Send(bytes)..];
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Gone("The agent takes no request", e);
        }
    }

    private void Receive(Span<byte> bytes, int milliseconds)
    {
        try
        {
            socket.ReceiveTimeout = milliseconds;
            while (!bytes.IsEmpty)
            {
                var count = socket.Receive(bytes);
                if (count == 0)
                {
                    throw Gone("The agent has gone");
                }
                bytes = bytes[count..];
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
        {
            throw Gone($"The agent said nothing for {milliseconds / 1000} s", e);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw Gone("The agent has gone", e);
        }
    }

    private RealKernelException Gone(string what, Exception? inner = null) => machine.Failure(what, inner);
}
