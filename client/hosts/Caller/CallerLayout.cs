namespace Hypercalls.Hosts.Caller;

/// <summary>The table of calls and what the caller says of each, as caller.h lays them out; a test holds every constant against the header.</summary>
internal static class CallerLayout
{
    public const int TableAlignment = 16;
    public const int TableCount = 0x00;
    public const int TableRecords = 0x10;

    public const int RecordSize = 0x00;
    public const int RecordInstruction = 0x04;
    public const int RecordTold = 0x08;
    public const int RecordX = 0x10;
    public const int RecordRegisters = 18;
    public const int RecordMemory = 0xa0;

    public const int SaysBegun = 0x42;
    public const int SaysReturned = 0x52;
    public const int SaysException = 0x58;
    public const int SaysEnd = 0x45;
    public const int ExceptionWords = 3;
}
