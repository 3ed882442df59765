namespace Hypercalls.Kvm.Interface;

/// <summary>KVM refuses something; the message is a sentence for a person, with the remedy where there is one.</summary>
internal sealed class KvmException(string message, int errno) : Exception(message)
{
    /// <summary>As the kernel gave it, above 0; 0 where it refused without one.</summary>
    public int Errno { get; } = errno;

    /// <summary>Of a call for which there is nothing better to say.</summary>
    public static KvmException Of(string what, int result) => new($"{what}: {Native.Errno.Text(-result)}.", -result);

    /// <summary>The result, where it is one.</summary>
    public static int Check(string what, int result) => result >= 0 ? result : throw Of(what, result);
}
