namespace Hypercalls.Hosts.Vcpus;

/// <summary>Keeps, for the host process after this one, what changes under the machine's lock.</summary>
internal interface IPowerRecords
{
    /// <summary>This core will start, at the exit at which it stands; nothing of it has been done yet.</summary>
    void Starts(int number, uint boot, CoreStart start);

    /// <summary>The daemon has been told of this boot.</summary>
    void Told(uint boot);
}
