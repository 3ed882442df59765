# A vCPU host on Google's own library: python3 wire_client.py TARGET [FOLDER], with TLS where a folder of certificates is given
import sys

import grpc
import hypercalls_pb2 as pb
import hypercalls_pb2_grpc as stubs


def connect():
    if len(sys.argv) == 2:
        return grpc.insecure_channel(sys.argv[1])
    ca, key, certificate = (open(f"{sys.argv[2]}/{name}.pem", "rb").read() for name in ("ca", "key", "cert"))
    return grpc.secure_channel(sys.argv[1], grpc.ssl_channel_credentials(ca, key, certificate))


with connect() as channel:
    daemon = stubs.HypercallsStub(channel)

    # Unary: a call by hand.
    reply = daemon.Call(pb.CallRequest(name="PSCI_VERSION"), timeout=60)
    print("call", reply.service, reply.function, hex(reply.results[0]))
    try:
        daemon.Call(pb.CallRequest(name="CPU_OM"), timeout=60)
    except grpc.RpcError as e:
        print("refused", e.code().name, e.details().split(",")[0])

    # Bidirectional: a machine, and a vCPU with its exits in turn.
    def attach(messages):
        hello = pb.Hello(protocol_major=1, machine="python", boot=1, client_el=1, host="grpcio", conduits=[pb.CONDUIT_SMC])
        hello.cores.add(mpidr=0, power=pb.CORE_POWER_ON)
        hello.cores.add(mpidr=1, power=pb.CORE_POWER_OFF)
        yield pb.HostMessage(hello=hello)
        yield pb.HostMessage(ready=messages.get())
        messages.get()

    import queue

    to_daemon = queue.Queue()
    attached = daemon.Attach(attach(to_daemon))
    welcome = next(attached).welcome
    ready = pb.Ready()
    for conduit in (pb.CONDUIT_SMC, pb.CONDUIT_HVC):
        for state in (pb.EXECUTION_STATE_AARCH64, pb.EXECUTION_STATE_AARCH32):
            ready.ranges.add(conduit=conduit, execution_state=state, immediate=pb.IMMEDIATE_RULE_ANY,
                             first=0, last=0xFFFFFFFF, disposition=pb.DISPOSITION_FORWARDED)
    to_daemon.put(ready)

    exits = queue.Queue()
    answers = daemon.RunVcpu(iter(exits.get, None))
    exits.put(pb.VcpuMessage(open=pb.Open(token=welcome.token, mpidr=0)))

    def forward(number, **registers):
        exit = pb.Exit(exit_id=number, boot=1)
        if number > 1:
            exit.previous.exit_id = number - 1
            exit.previous.outcome = pb.OUTCOME_APPLIED
        exit.hypercall.CopyFrom(pb.HypercallExit(conduit=pb.CONDUIT_SMC, imm=0, pstate=0x3C5, **registers))
        exits.put(pb.VcpuMessage(exit=exit))
        return next(answers).answer

    print("exit", hex(forward(1, x0=0x84000000).values.x0))
    on = forward(2, x0=0xC4000003, x1=1, x2=0x40080000, x3=7)
    print("exit", on.values.x0, "power on", on.power_on.core, hex(on.power_on.entry_point), on.power_on.context_id)
    for number in range(3, 1003):
        assert forward(number, x0=0x84000000).values.x0 == 0x10003
    print("exits", number)
    exits.put(None)
    to_daemon.put(None)
