# A vCPU host with nothing of Hypercalls but its .proto: two cores whose guest is a Python function. python3 host.py [ADDRESS]
import os
import queue
import sys
import threading

import grpc
import hypercalls_pb2 as pb
import hypercalls_pb2_grpc as stubs

RUNTIME = os.environ.get("XDG_RUNTIME_DIR", "")
FOLDER = f"{RUNTIME}/hypercalls" if os.path.isdir(RUNTIME) else f"/tmp/hypercalls-{os.getuid()}"
BOOT, SECOND = 0x40000000, 0x40001000


def run_boot(x0):
    x0 = yield [0x84000000]  # PSCI_VERSION
    print(f"core 0: PSCI {x0 >> 16}.{x0 & 0xFFFF}")
    yield [0xC4000003, 1, SECOND, 7]  # CPU_ON: target, entry point, context ID
    while (x0 := (yield [0xC4000004, 1, 0])) in (0, 2):  # AFFINITY_INFO: ON, OFF or ON_PENDING
        pass
    print(f"core 0: AFFINITY_INFO of core 1 is {x0}")
    yield [0x84000008]  # SYSTEM_OFF


def run_second(x0):
    print(f"core 1: started with {x0}")
    yield [0x84000002]  # CPU_OFF


CODE = {BOOT: run_boot, SECOND: run_second}


class Host:
    def __init__(self, daemon):
        self.daemon, self.to_daemon, self.end = daemon, queue.Queue(), queue.Queue()
        self.on, self.previous, self.exit_id, self.lock = {0}, {}, 0, threading.Lock()

    def run(self):
        self.tell(hello=pb.Hello(protocol_major=1, machine=f"toy-{os.getpid()}", host="the toy host in Python", boot=1, client_el=1, conduits=[pb.CONDUIT_HVC],
                                 ram=[pb.MemoryRange(base=0x40000000, size=0x10000000)],
                                 cores=[pb.Core(mpidr=0, power=pb.CORE_POWER_ON), pb.Core(mpidr=1, power=pb.CORE_POWER_OFF)]))
        attached = self.daemon.Attach(iter(self.to_daemon.get, None))
        self.welcome = next(attached).welcome
        # No kernel keeps calls for itself: everything is forwarded.
        self.tell(ready=pb.Ready(ranges=[
            pb.KernelRange(conduit=conduit, execution_state=state, immediate=pb.IMMEDIATE_RULE_ANY, last=0xFFFFFFFF, disposition=pb.DISPOSITION_FORWARDED)
            for conduit in (pb.CONDUIT_SMC, pb.CONDUIT_HVC) for state in (pb.EXECUTION_STATE_AARCH64, pb.EXECUTION_STATE_AARCH32)]))
        next(attached)  # RangesChanged: the machine is accepted
        self.start(0, BOOT, 0)
        reason = self.end.get()
        print(f"host: {reason}")
        self.tell(detach=pb.Detach(reason=reason))
        self.to_daemon.put(None)
        for _ in attached:  # to the end of the stream: the daemon knows
            pass

    def tell(self, **message):
        self.to_daemon.put(pb.HostMessage(**message))

    def start(self, core, entry, context):
        threading.Thread(target=self.core, args=(core, CODE[entry](context)), daemon=True).start()

    def core(self, core, guest):
        exits, answers = queue.Queue(), queue.Queue()
        exits.put(pb.VcpuMessage(open=pb.Open(token=self.welcome.token, mpidr=core)))
        stream = self.daemon.RunVcpu(iter(exits.get, None))
        threading.Thread(target=self.listen, args=(stream, answers), daemon=True).start()
        call = next(guest, None)
        while call and (x0 := self.serve(core, call, exits, answers)) is not None:
            try:
                call = guest.send(x0)
            except StopIteration:
                break
        exits.put(None)

    def listen(self, stream, answers):
        try:
            for message in stream:
                answers.put(message.answer)
        except grpc.RpcError:
            pass  # The stream is gone, and calls without an answer fall back. A host that is to last attaches again.

    def serve(self, core, call, exits, answers):
        """x0 as the guest finds it; None where the core does not go on."""
        with self.lock:
            self.exit_id += 1
            exit = pb.Exit(exit_id=self.exit_id, boot=1, previous=self.previous.get(core))
        exit.hypercall.CopyFrom(pb.HypercallExit(conduit=pb.CONDUIT_HVC, imm=0, pstate=0x3C5, **{f"x{n}": value for n, value in enumerate(call)}))
        exits.put(pb.VcpuMessage(exit=exit))
        applied = exit.previous.last_applied
        try:
            # One that comes after its call has fallen back is dropped.
            while (answer := answers.get(timeout=self.welcome.deadlines.host_us / 1e6)).exit_id != exit.exit_id:
                pass
            effect = answer.WhichOneof("effect")
            if answer.not_served or answer.WhichOneof("results") == "masked" or effect not in (None, "power_on", "power_off", "system_event"):
                raise queue.Empty
        except queue.Empty:
            # No answer, or one that this host cannot apply: the guest gets NOT_SUPPORTED, and the daemon is told.
            self.previous[core] = pb.Previous(exit_id=exit.exit_id, outcome=pb.OUTCOME_FELL_BACK, last_applied=applied)
            self.tell(fell_back=pb.FellBack(core=core, boot=1, exit_id=exit.exit_id, last_applied=applied))
            return 0xFFFFFFFFFFFFFFFF
        self.previous[core] = pb.Previous(exit_id=exit.exit_id, outcome=pb.OUTCOME_APPLIED, last_applied=exit.exit_id)
        if effect == "power_on":
            return answer.values.x0 if self.power_on(answer.power_on, answer.commit) else answer.power_on.if_refused
        if effect == "power_off":
            self.power_off(core, answer.commit)
            return None
        if effect == "system_event":
            self.end.put(f"system event {pb.SystemEventType.Name(answer.system_event.type).removeprefix('SYSTEM_EVENT_TYPE_').capitalize()}")
            return None
        return answer.values.x0

    # Changes and their reports in one order, whichever core makes them.
    def power_on(self, effect, commit):
        with self.lock:
            if effect.core != 1 or effect.core in self.on or effect.entry_point not in CODE:
                self.tell(core_state=pb.CoreState(core=effect.core, change=pb.CORE_CHANGE_REFUSED, commit=commit))
                return False
            print(f"host: core {effect.core} starts at 0x{effect.entry_point:x}")
            self.on.add(effect.core)
            self.tell(core_state=pb.CoreState(core=effect.core, change=pb.CORE_CHANGE_STARTED, commit=commit))
            self.start(effect.core, effect.entry_point, effect.context_id)
            return True

    def power_off(self, core, commit):
        with self.lock:
            print(f"host: core {core} is off")
            self.on.remove(core)
            self.tell(core_state=pb.CoreState(core=core, change=pb.CORE_CHANGE_STOPPED, commit=commit))


with grpc.insecure_channel(sys.argv[1] if len(sys.argv) > 1 else f"unix:{FOLDER}/daemon.sock") as channel:
    Host(stubs.HypercallsStub(channel)).run()
