namespace Hypercalls.Kvm.Native;

/// <summary>Errors of system calls on arm64 (Linux, include/uapi/asm-generic/errno-base.h and errno.h).</summary>
internal static class Errno
{
    public const int Eperm = 1;
    public const int Enoent = 2;
    public const int Eintr = 4;
    public const int Enxio = 6;
    public const int E2big = 7;
    public const int Enoexec = 8;
    public const int Eagain = 11;
    public const int Enomem = 12;
    public const int Eacces = 13;
    public const int Efault = 14;
    public const int Ebusy = 16;
    public const int Eexist = 17;
    public const int Enodev = 19;
    public const int Einval = 22;
    public const int Enotty = 25;
    public const int Enosys = 38;
    public const int Ehwpoison = 133;

    /// <summary>"EEXIST (17)".</summary>
    public static string Text(int errno) => errno switch
    {
        Eperm => "EPERM (1)",
        Enoent => "ENOENT (2)",
        Eintr => "EINTR (4)",
        Enxio => "ENXIO (6)",
        E2big => "E2BIG (7)",
        Enoexec => "ENOEXEC (8)",
        Eagain => "EAGAIN (11)",
        Enomem => "ENOMEM (12)",
        Eacces => "EACCES (13)",
        Efault => "EFAULT (14)",
        Ebusy => "EBUSY (16)",
        Eexist => "EEXIST (17)",
        Enodev => "ENODEV (19)",
        Einval => "EINVAL (22)",
        Enotty => "ENOTTY (25)",
        Enosys => "ENOSYS (38)",
        Ehwpoison => "EHWPOISON (133)",
        _ => $"errno {errno}",
    };
}
