"""Calls the conformance service as Google's own library does; one line for each thing that went as it should."""

import sys

import grpc

import conformance_pb2
import conformance_pb2_grpc
import health_pb2
import health_pb2_grpc
import reflection_pb2
import reflection_pb2_grpc
import reflection_v1alpha_pb2
import reflection_v1alpha_pb2_grpc
from google.protobuf import descriptor_pb2

Message = conformance_pb2.Message


def unary(stub):
    request = Message(number=7, text="Größe", data=b"\0\xff")
    reply, call = stub.Echo.with_call(request, timeout=60, metadata=(("x-text", "a b"), ("x-data-bin", b"\0\1\xff")))
    assert reply == request, reply
    trailers = dict(call.trailing_metadata())
    assert trailers["x-text"] == "a b" and trailers["x-data-bin"] == b"\0\1\xff", trailers
    assert dict(call.initial_metadata())["x-before"] == "b", call.initial_metadata()
    print("unary with metadata and deadline")


def fails(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        return error
    raise AssertionError(f"{code} expected")


def statuses(stub):
    for code in grpc.StatusCode:
        if code != grpc.StatusCode.OK:
            error = fails(code, lambda: stub.Echo(Message(status=code.value[0], text="100 % Größe\n"), timeout=60))
            assert error.details() == "100 % Größe\n", error
    print("every status")

    error = fails(grpc.StatusCode.UNKNOWN, lambda: list(stub.Repeat(Message(number=3, status=2, text="after three"), timeout=60)))
    assert error.details() == "after three", error
    print("a status after messages")


def deadline(stub):
    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: stub.Echo(Message(text="hang"), timeout=0.3))
    print("deadline")


def streams(stub):
    assert stub.Collect(iter([Message(number=n) for n in range(1, 101)]), timeout=60).number == 5050
    print("client streaming")
    assert [reply.number for reply in stub.Repeat(Message(number=5), timeout=60)] == [5] * 5
    print("server streaming")

    import queue

    requests = queue.Queue()
    call = stub.Chat(iter(requests.get, None), timeout=120)
    for n in range(2000):
        requests.put(Message(number=n))
        assert next(call).number == n
    requests.put(None)
    assert list(call) == []
    assert call.code() == grpc.StatusCode.OK, call
    print("bidirectional, in turn")

    call = stub.Chat(iter([]), timeout=60)
    assert list(call) == []
    call = stub.Chat(iter(requests.get, None), timeout=60)
    requests.put(Message(number=1))
    assert next(call).number == 1
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: next(call))
    requests.put(None)
    print("cancellation")


def limits(stub):
    large = Message(data=bytes(1024 * 1024 - 4))
    assert stub.EchoLarge(large, timeout=60) == large
    error = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: stub.Echo(large, timeout=60))
    assert error.details() == "The message received has 1048576 bytes, 65536 are allowed.", error
    print("limits")
    error = fails(
        grpc.StatusCode.UNIMPLEMENTED,
        lambda: stub.Echo(Message(data=bytes(1000)), timeout=60, compression=grpc.Compression.Gzip))
    assert "compressed" in error.details(), error
    print("compression refused")


def unimplemented(channel):
    for path in "/hypercalls.tests.Conformance/Nothing", "/no.Service/Nothing":
        fails(grpc.StatusCode.UNIMPLEMENTED, lambda: channel.unary_unary(path)(b"", timeout=60))
    print("unimplemented")


def health(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    assert stub.Check(health_pb2.HealthCheckRequest(), timeout=60).status == health_pb2.HealthCheckResponse.SERVING
    fails(grpc.StatusCode.NOT_FOUND, lambda: stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=60))
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="hypercalls.tests.Conformance"), timeout=60)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    print("health")


def reflection(channel, messages, stub, name):
    requests = [
        messages.ServerReflectionRequest(list_services=""),
        messages.ServerReflectionRequest(file_containing_symbol="hypercalls.tests.Conformance.Chat"),
        messages.ServerReflectionRequest(file_by_filename="nothing.proto"),
    ]
    services, file, error = stub(channel).ServerReflectionInfo(iter(requests), timeout=60)
    assert "hypercalls.tests.Conformance" in [each.name for each in services.list_services_response.service], services
    proto = descriptor_pb2.FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert [each.name for each in proto.service] == ["Conformance"], proto
    assert error.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0], error
    print(name)


with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = conformance_pb2_grpc.ConformanceStub(channel)
    unary(stub)
    statuses(stub)
    deadline(stub)
    streams(stub)
    limits(stub)
    unimplemented(channel)
    health(channel)
    reflection(channel, reflection_pb2, reflection_pb2_grpc.ServerReflectionStub, "reflection v1")
    reflection(channel, reflection_v1alpha_pb2, reflection_v1alpha_pb2_grpc.ServerReflectionStub, "reflection v1alpha")
