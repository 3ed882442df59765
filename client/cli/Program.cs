using System.CommandLine;
using Hypercalls.Cli;
using Hypercalls.Cli.Commands;

var root = new RootCommand("Hypercalls: answers the SMC and HVC calls of Arm guests, over gRPC, by services of yours.")
{
    RunCommand.Create(),
    NewCommand.Create(),
    DaemonCommand.Create(),
    CallCommand.Create(),
    QueryCommand.Create(),
    RegisterCommand.Create(),
    ServicesCommand.Create(),
    SanityCommand.Create(),
    MachinesCommand.Create(),
    StateCommand.Create(),
    StateCommand.CreateFor("SDEI"),
    RaiseCommand.Create(),
    TraceCommand.Create(),
    CertCommand.Create(),
    DoctorCommand.Create(),
};
return await Invocation.RunAsync(root, args);
