using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Collab.Load.Sockets;

/// <summary>The few calls of Linux' epoll(7) and non-blocking sockets that the loop needs.</summary>
internal static unsafe partial class Epoll
{
    public const uint In = 0x001;
    public const uint Out = 0x004;
    public const uint Failed = 0x008 | 0x010 | 0x2000; // EPOLLERR, EPOLLHUP, EPOLLRDHUP

    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int TryAgain = 11;
    private const int Interrupted = 4;

    // struct epoll_event { uint32_t events; uint64_t data; } is packed on x86-64 only.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + sizeof(ulong);

    public static int Create() => Check(epoll_create1(0x80000));

    public static void Add(int epoll, int socket, uint events) => Control(epoll, 1, socket, events);

    public static void Remove(int epoll, int socket) => Control(epoll, 2, socket, 0);

    public static void Modify(int epoll, int socket, uint events) => Control(epoll, 3, socket, events);

    /// <summary>Waits until a socket is ready or the time is over.</summary>
    /// <param name="ready">Receives the sockets and their events.</param>
    /// <param name="nanoseconds">How long to wait at most; 0 only looks.</param>
    /// <returns>How many are ready.</returns>
    public static int Wait(int epoll, Span<(int Socket, uint Events)> ready, long nanoseconds)
    {
        var events = stackalloc byte[ready.Length * EventSize];
        var timeout = stackalloc long[] { nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000 };
        var count = epoll_pwait2(epoll, events, ready.Length, timeout, null);
        if (count < 0 && Marshal.GetLastPInvokeError() == Interrupted)
            return 0;
        Check(count);
        for (var i = 0; i < count; i++)
        {
            var entry = new ReadOnlySpan<byte>(events + i * EventSize, EventSize);
            ready[i] = ((int)BinaryPrimitives.ReadUInt64LittleEndian(entry[DataOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(entry));
        }

        return count;
    }

    /// <summary>Reads what has arrived.</summary>
    /// <returns>The count of bytes, 0 at the end of the stream, -1 when nothing has arrived, -2 when the connection is broken.</returns>
    public static int Receive(int socket, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
            return Outcome(recv(socket, start, buffer.Length, DontWait));
    }

    /// <summary>Writes what the kernel takes.</summary>
    /// <returns>The count of bytes, -1 when it takes none now, -2 when the connection is broken.</returns>
    public static int Send(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
            return Outcome(send(socket, start, bytes.Length, DontWait | NoSignal));
    }

    private static int Outcome(nint result) =>
        result >= 0 ? (int)result : Marshal.GetLastPInvokeError() is TryAgain or Interrupted ? -1 : -2;

    private static void Control(int epoll, int operation, int socket, uint events)
    {
        var entry = stackalloc byte[EventSize];
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(entry, sizeof(uint)), events);
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(entry + DataOffset, sizeof(ulong)), (ulong)socket);
        Check(epoll_ctl(epoll, operation, socket, entry));
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int socket, byte* entry);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_pwait2(int epoll, byte* events, int count, long* timeout, void* signals);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int socket, byte* buffer, nint length, int flags);
}
