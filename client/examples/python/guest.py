# The guest: code that makes one call after the other, each time with registers of its own, and finds the results in them.
BOOT, SECOND, NOWHERE = 0x40000000, 0x40001000, 0x40002000


def run_boot(context_id):
    yield (x := [0x84000000, 0, 0, 0, 0, 0])  # PSCI_VERSION
    print(f"core 0: PSCI {x[0] >> 16}.{x[0] & 0xFFFF}")
    yield (x := [0xC4000001, 0, 0, 0, 0, 0])  # CPU_SUSPEND, which this host cannot apply
    print(f"core 0: CPU_SUSPEND gives {signed(x[0])}")
    for entry_point in NOWHERE, SECOND:
        yield (x := [0xC4000003, 1, entry_point, 7, 0, 0])  # CPU_ON: target, entry point, context ID
        status, info = signed(x[0]), 2
        while info in (0, 2):  # ON, ON_PENDING
            yield (x := [0xC4000004, 1, 0, 0, 0, 0])  # AFFINITY_INFO: target, lowest affinity level
            info = x[0]
        print(f"core 0: CPU_ON at 0x{entry_point:x} gives {status}, then AFFINITY_INFO {info}")
    yield [0x84000008, 0, 0, 0, 0, 0]  # SYSTEM_OFF


def run_second(context_id):
    print(f"core 1: started with {context_id}")
    yield [0x84000002, 0, 0, 0, 0, 0]  # CPU_OFF


def signed(x):
    return x - (x >> 63 << 64)


# What stands where.
CODE = {BOOT: run_boot, SECOND: run_second}
