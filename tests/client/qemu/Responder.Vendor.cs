using Hypercalls.Protos;

namespace Hypercalls.Tests.Client.Qemu;

internal sealed partial class Responder
{
    // The numbers are those of tests/Guest/guest.h.
    private Answer? CallVendor(ulong mpidr, Exit exit)
    {
        var call = exit.Hypercall;
        switch (call.X0 & 0xff)
        {
            case 0x00: // ECHO
                return X0(call.X1 + 1, call.HasImm ? call.Imm : uint.MaxValue, (ulong)call.Conduit, exit.Previous is null ? 0 : (ulong)exit.Previous.Outcome);
            case 0x01: // ATTEND
                _ = AskLaterAsync(call.X1, TimeSpan.FromMicroseconds(call.X2));
                return X0(0);
            case 0x02: // SLOW
                Thread.Sleep((int)call.X1);
                return X0(call.X1);
            case 0x03: // SILENT
                return null;
            case 0x04: // STORM
                _ = StormAsync(call.X1, (int)call.X2);
                return X0(0);
            case 0x05: // COMPLETE
                return Complete(mpidr);
            case 0x06: // BOOT
                return X0(exit.Boot);
            case 0x07: // ATTEND_HERE
                lock (_gate)
                {
                    _cores[mpidr].Asked = true;
                }
                var here = X0(7);
                here.AttendBeforeResume = true;
                return here;
            case 0x08: // HANDLER
                lock (_gate)
                {
                    _cores[mpidr].Handler = call.X1;
                }
                return X0(0);
            case 0x09: // MASKED
                return new() { Masked = new() { Mask = 1 << 5 | 1 << 9 | 1 << 17, Values = { 5, 9, 17 } } };
            case 0x0a: // WRITE
                var write = X0(0);
                write.MemoryWrites.Add(Block(call.X1, 8, 7, 6, 5, 4, 3, 2, 1));
                return write;
            case 0x0b: // WRITE_MAILBOX
                var forbidden = X0(0);
                forbidden.MemoryWrites.Add(Block(0x4000_0000 + (512 << 20) - (2 << 20), 1));
                return forbidden;
            case 0x0c: // LOAD_EL3
                return new() { None = new(), Load = new() { Pstate = 0x3cd } };
            case 0x0d: // SEVEN
                return X0(7);
            case 0x0e: // SYSTEM_LOAD
                var load = X0(0);
                load.Load = new()
                {
                    System =
                    {
                        new SystemRegisterValue { Register = SystemRegister.SpEl0, Value = 0x5150 },
                        new SystemRegisterValue { Register = SystemRegister.ElrElc, Value = 0xe1 },
                        new SystemRegisterValue { Register = SystemRegister.SpsrElc, Value = 0x3c4 },
                    },
                };
                return load;
            case 0x0f: // SLOW_ATTEND
                Ask(mpidr);
                Thread.Sleep((int)call.X1);
                return X0(call.X1);
            case 0x10: // WITHDRAWN
                _ = WithdrawAsync(call.X1, (int)call.X2);
                return X0(0);
            case 0x11: // RESET_CLEAR
                return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Reset, ClearMemory = true } };
            case 0x12: // CRASH
                return new() { None = new(), SystemEvent = new() { Type = SystemEventType.Crash, Data = { 0xdead } } };
            case 0x13: // NEED
                return Need(mpidr, exit);
            case 0x14: // FORCE_ON
                var force = X0(0);
                force.PowerOn = new() { Core = call.X1, EntryPoint = call.X2, IfRefused = ulong.MaxValue - 5 };
                return force;
            case 0x15: // DEAF
                _deaf = (int)call.X1;
                return X0(0);
            case 0x16: // TAKE
                var take = X0(0);
                take.TakeInterrupt = new() { Intid = (uint)call.X1, IfRefused = ulong.MaxValue - 2 };
                return take;
            case 0x17: // GIVE_BACK
                var back = X0(0);
                back.ReturnedInterrupts.Add((uint)call.X1);
                return back;
            case 0x18: // END
                var end = X0(0);
                end.EndedInterrupts.Add((uint)call.X1);
                return end;
            case 0x19: // FIRES
                lock (_gate)
                {
                    return X0(_fires.GetValueOrDefault((uint)call.X1));
                }
            case 0x1a: // LAST
                return X0((ulong)exit.Previous.Outcome);
            default:
                return X0(ulong.MaxValue);
        }
    }

    private Answer Need(ulong mpidr, Exit exit)
    {
        var right = Machine.Supply(mpidr, new()
        {
            ExitId = exit.ExitId,
            Registers = { 4, 30 },
            Memory = { new MemoryRange { Base = exit.Hypercall.X1, Size = 8 } },
        })!;
        Assert.Equal(exit.ExitId, right.ExitId);
        Assert.Equal([4u, 30u], right.Registers.Select(register => register.Index));
        Assert.Equal(exit.Hypercall.X4, right.Registers[0].Value);
        foreach (var wrong in new Need[]
        {
            new() { ExitId = exit.ExitId + 1 },
            new() { ExitId = exit.ExitId, Registers = { 31 } },
            new() { ExitId = exit.ExitId, Memory = { new MemoryRange { Base = 0x0900_0000, Size = 1 } } },
            new() { ExitId = exit.ExitId, Memory = { new MemoryRange { Base = 0x5fe0_0000, Size = 8 } } },
            new() { ExitId = exit.ExitId, Memory = { new MemoryRange { Base = 0x4000_0000, Size = ulong.MaxValue } } },
            new() { ExitId = exit.ExitId, Interrupts = { 27 } },
        })
        {
            Assert.Null(Machine.Supply(mpidr, wrong));
        }
        return X0(right.Registers[1].Value, BitConverter.ToUInt64(right.Memory[0].Data.Span));
    }

    private async Task AskLaterAsync(ulong mpidr, TimeSpan delay)
    {
        await Task.Delay(delay);
        Ask(mpidr);
    }

    private async Task StormAsync(ulong mpidr, int count)
    {
        while (await _cores[mpidr].Completed.WaitAsync(0))
        {
            // Of handlers before this storm.
        }
        for (var n = 0; n < count; n++)
        {
            Ask(mpidr);
            await _cores[mpidr].Completed.WaitAsync();
        }
    }

    private async Task WithdrawAsync(ulong mpidr, int count)
    {
        for (var n = 0; n < count; n++)
        {
            Machine.AttentionWanted(mpidr, true);
            await Task.Yield();
            Machine.AttentionWanted(mpidr, false);
        }
        Ask(mpidr);
    }
}
