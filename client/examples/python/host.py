# A vCPU host of two cores on nothing of Hypercalls but the stubs of its .proto; what they run is in guest.py. python3 host.py ADDRESS
import asyncio, os, sys

import grpc
import hypercalls_pb2 as pb
import hypercalls_pb2_grpc as stubs
from guest import BOOT, CODE


async def host(address):
    daemon = stubs.HypercallsStub(grpc.aio.insecure_channel(address))
    order, on, previous = asyncio.Lock(), {0}, {}

    async def tell(**message):
        async with order:  # One after the other, as they are told: no Stopped overtakes its Started.
            await attached.write(pb.HostMessage(**message))

    async def end(reason):
        print(f"host: {reason}")
        await tell(detach=pb.Detach(reason=reason))

    async def run(core, entry_point, context_id):
        """One task owns a vCPU: it makes an exit, waits for the answer, applies it, goes on."""
        vcpu = daemon.RunVcpu()
        await vcpu.write(pb.VcpuMessage(open=pb.Open(token=welcome.token, mpidr=core)))
        for x in CODE[entry_point](context_id):
            call = pb.HypercallExit(conduit=pb.CONDUIT_HVC, imm=0, x0=x[0], x1=x[1], x2=x[2], x3=x[3], x4=x[4], x5=x[5], pstate=0x3C5)
            exit = pb.Exit(exit_id=previous[core].exit_id + 1 if core in previous else 1, boot=1, previous=previous.get(core), hypercall=call)
            try:
                await vcpu.write(pb.VcpuMessage(exit=exit))
                answer = (await asyncio.wait_for(vcpu.read(), welcome.deadlines.host_us / 1e6)).answer
            except (grpc.RpcError, asyncio.TimeoutError, asyncio.InvalidStateError):
                answer = pb.Answer(not_served=True)  # Nor are later calls: a host that is to last opens another stream.
            effect, power_on = answer.WhichOneof("effect"), answer.power_on
            previous[core] = pb.Previous(exit_id=exit.exit_id, outcome=pb.OUTCOME_APPLIED, last_applied=exit.exit_id)
            if answer.not_served or answer.masked.mask or answer.memory_writes or effect not in (None, "power_on", "power_off", "system_event"):
                answer, effect = pb.Answer(values=pb.Results(x0=0xFFFFFFFFFFFFFFFF)), None  # NOT_SUPPORTED, whatever this host cannot apply.
                previous[core] = pb.Previous(exit_id=exit.exit_id, outcome=pb.OUTCOME_FELL_BACK, last_applied=exit.previous.last_applied)
                await tell(fell_back=pb.FellBack(core=core, boot=1, exit_id=exit.exit_id, last_applied=exit.previous.last_applied))
            if answer.HasField("values"):
                x[:4] = answer.values.x0, answer.values.x1, answer.values.x2, answer.values.x3
            if effect == "power_on" and power_on.core in {0, 1} - on and power_on.entry_point in CODE:
                on.add(power_on.core)
                await tell(core_state=pb.CoreState(core=power_on.core, change=pb.CORE_CHANGE_STARTED, commit=answer.commit))
                asyncio.create_task(run(power_on.core, power_on.entry_point, power_on.context_id))
            elif effect == "power_on":
                await tell(core_state=pb.CoreState(core=power_on.core, change=pb.CORE_CHANGE_REFUSED, commit=answer.commit))
                x[0] = power_on.if_refused
            elif effect == "power_off":
                on.remove(core)
                return await tell(core_state=pb.CoreState(core=core, change=pb.CORE_CHANGE_STOPPED, commit=answer.commit))
            elif effect == "system_event":
                return await end(f"system event {pb.SystemEventType.Name(answer.system_event.type)}")
        await end(f"core {core} has no more code")

    attached = daemon.Attach()
    await tell(hello=pb.Hello(protocol_major=1, machine=f"toy-{os.getpid()}", host="the toy host in Python", boot=1, client_el=1,
                              conduits=[pb.CONDUIT_HVC], ram=[pb.MemoryRange(base=0x40000000, size=0x10000000)],
                              cores=[pb.Core(mpidr=0, power=pb.CORE_POWER_ON), pb.Core(mpidr=1, power=pb.CORE_POWER_OFF)]))
    welcome = (await attached.read()).welcome
    await tell(ready=pb.Ready(ranges=[  # No kernel keeps calls for itself.
        pb.KernelRange(conduit=conduit, execution_state=state, immediate=pb.IMMEDIATE_RULE_ANY, last=0xFFFFFFFF, disposition=pb.DISPOSITION_FORWARDED)
        for conduit in (pb.CONDUIT_SMC, pb.CONDUIT_HVC) for state in (pb.EXECUTION_STATE_AARCH64, pb.EXECUTION_STATE_AARCH32)]))
    await attached.read()  # RangesChanged: the machine is accepted.
    asyncio.create_task(run(0, BOOT, 0))
    while await attached.read():  # To the end of the stream. A host that is to last minds Attention here, and attaches again.
        pass


asyncio.run(host(sys.argv[1]))
