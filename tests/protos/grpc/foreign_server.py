"""Serves the conformance service with Google's own library, until its input ends."""

import sys
import time
from concurrent import futures

import grpc

import conformance_pb2
import conformance_pb2_grpc

Message = conformance_pb2.Message
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Conformance(conformance_pb2_grpc.ConformanceServicer):
    def Echo(self, request, context):
        metadata = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
        context.send_initial_metadata((("x-before", "b"),))
        context.set_trailing_metadata(metadata)
        if request.status:
            context.abort(CODES[request.status], request.text)
        if request.text == "hang":
            while context.is_active():
                time.sleep(0.01)
        return request

    def Collect(self, requests, context):
        return Message(number=sum(request.number for request in requests))

    def Repeat(self, request, context):
        for _ in range(request.number):
            yield request
        if request.status:
            context.abort(CODES[request.status], request.text)

    def Chat(self, requests, context):
        for request in requests:
            if request.status:
                context.abort(CODES[request.status], request.text)
            yield request

    def EchoLarge(self, request, context):
        return request


server = grpc.server(futures.ThreadPoolExecutor(16))
conformance_pb2_grpc.add_ConformanceServicer_to_server(Conformance(), server)
server.add_insecure_port(sys.argv[1])
server.start()
print("serving", flush=True)
sys.stdin.read()
server.stop(None)
