namespace Hypercalls.Qemu.Monitor;

/// <summary>The mailbox area at the top of guest RAM, as mailbox.h lays it out; a test holds every constant against the header.</summary>
internal static class MailboxLayout
{
    public const int AreaSize = 0x200000;
    public const int MaximumVcpus = 16;
    public const int ConfigSpin = 0x08;
    public const int ConfigBoot = 0x0c;
    public const int ConfigVcpus = 0x10;
    public const int ToldBoot = 0x14;
    public const int TokenLength = 0x18;
    public const int GicLock = 0x30;
    public const int Token = 0x40;
    public const int TokenSize = 64;
    public const int Stub = 0x1000;
    public const int Priorities = 0x2000;
    public const int PrioritiesSpi = 0x400;
    public const int PrioritiesPpi = 0x20;
    public const int Pages = 0x10000;
    public const int PageSize = 0x1000;

    public const int Req = 0x000;
    public const int Rsp = 0x040;
    public const int Kick = 0x080;
    public const int Wake = 0x084;
    public const int Sleep = 0x088;
    public const int IsOff = 0x08c;

    public const int Reason = 0x0c0;
    public const int Boot = 0x0c4;
    public const int Cause = 0x0c8;
    public const int Sequence = 0x0cc;
    public const int Esr = 0x0d0;
    public const int Far = 0x0d8;
    public const int Detail = 0x0e0;
    public const int Mpidr = 0x0e8;
    public const int ExitFrame = 0x100;

    public const int Command = 0x2c0;
    public const int LoadSystem = 0x2c4;
    public const int Interrupts = 0x2c8;
    public const int Take = 0x2cc;
    public const int TakeRefused = 0x2d0;
    public const int TakeOutcome = 0x2d8;
    public const int AnswerFrame = 0x300;
    public const int Ended = 0x680;
    public const int Returned = 0x700;
    public const int InterruptSet = 0x80;

    public const int Identity = 0x480;
    public const int IdentityCount = 11;

    public const int StartExit = 0x500;
    public const int StartIncarnation = 0x508;
    public const int StartCommit = 0x510;
    public const int StartEntry = 0x518;
    public const int StartContext = 0x520;
    public const int StartR1 = 0x528;
    public const int StartR2 = 0x530;
    public const int StartEndianness = 0x538;
    public const int Owed = 0x780;

    public const int Decisions = 0x580;
    public const int DecisionSize = 0x80;
    public const int DecisionExit = 0x00;
    public const int DecisionLastApplied = 0x08;
    public const int DecisionOutcome = 0x10;
    public const int DecisionEffect = 0x14;
    public const int DecisionIncarnation = 0x18;
    public const int DecisionCommit = 0x20;
    public const int DecisionTarget = 0x28;
    public const int DecisionEntry = 0x30;
    public const int DecisionContext = 0x38;
    public const int DecisionIfRefused = 0x40;
    public const int DecisionEndianness = 0x48;
    public const int DecisionAttend = 0x4c;

    public const int FrameX0 = 0x000;
    public const int FramePc = 0x0f8;
    public const int FramePstate = 0x100;
    public const int FrameSpEl0 = 0x108;
    public const int FrameSpEl1 = 0x110;
    public const int FrameElrEl1 = 0x118;
    public const int FrameSpsrEl1 = 0x120;
    public const int FrameVbarEl1 = 0x128;
    public const int FrameSctlrEl1 = 0x130;
    public const int FrameElrEl2 = 0x138;
    public const int FrameSpsrEl2 = 0x140;
    public const int FrameVbarEl2 = 0x148;
    public const int FrameSctlrEl2 = 0x150;
    public const int FrameHcrEl2 = 0x158;
    public const int FrameScrEl3 = 0x160;
    public const int FrameSize = 0x168;

    public const int ReasonBoot = 1;
    public const int ReasonEl3 = 2;
    public const int ReasonEl2 = 3;
    public const int ReasonKick = 4;
    public const int ReasonWake = 5;
    public const int ReasonBug = 6;
    public const int ReasonInterrupt = 7;

    public const int CauseInterrupt = 1;
    public const int CauseKick = 2;

    public const int CommandResume = 0;
    public const int CommandOff = 1;
    public const int CommandReset = 2;
    public const int CommandWait = 3;

    public const int EffectNone = 0;
    public const int EffectPowerOn = 1;
    public const int EffectPowerOff = 2;
    public const int EffectShutdown = 3;
    public const int EffectResetCold = 4;
    public const int EffectResetWarm = 5;
    public const int EffectResetClear = 6;
    public const int EffectTake = 7;

    public const int Taken = 1;
    public const int Refused = 2;

    public const int ImageMagicOffset = 4;
    public const int ImageMagic = 0x4c415048;
    public const int ImageAreaOffset = 8;
}
