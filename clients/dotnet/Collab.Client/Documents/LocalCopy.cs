using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;
using Collab.Crdt;

namespace Collab.Client;

/// <summary>
/// A document's copy in a file: its updates, one after the other. An update is in the file when the edit that made it returns, so it
/// survives the program's end, however that comes. A record that is not whole, the last one of a machine that lost its power, is left out.
/// </summary>
/// <remarks>
/// The file: for each update its length (4 bytes, little-endian), its CRC-32 (4 bytes) and itself. Safe for use by several threads.
/// </remarks>
internal sealed class LocalCopy : IDisposable
{
    private const int HeaderBytes = 8;
    // With more than this many records, opening merges them into one.
    private const int MaxRecords = 64;

    private readonly string _path;
    private readonly Lock _writing = new();
    private FileStream? _file;

    private LocalCopy(string path, FileStream file) => (_path, _file) = (path, file);

    /// <summary>Opens, or makes, the copy of a document.</summary>
    /// <param name="folder">The folder of all copies; made when missing.</param>
    /// <param name="server">The server's address: documents of two servers are two documents.</param>
    /// <param name="content">What is in the copy, as an update; null when nothing is.</param>
    /// <exception cref="CollabException"><c>already_open</c>: another program has it open.</exception>
    public static LocalCopy Open(string folder, Uri server, string documentId, out byte[]? content)
    {
        Directory.CreateDirectory(folder);
        // A document's name may hold what a file's name cannot.
        var name = SHA256.HashData(Encoding.UTF8.GetBytes($"{server.GetLeftPart(UriPartial.Path)}\n{documentId}"));
        var path = Path.Combine(folder, Convert.ToHexStringLower(name)[..40] + ".updates");
        var copy = new LocalCopy(path, Lock(path, documentId));
        var updates = copy.Read();
        content = updates.Count == 0 ? null : Updates.CompactV1(updates);
        if (updates.Count > MaxRecords)
            copy.Replace(content!);
        return copy;
    }

    /// <summary>Adds an update.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(byte[] update)
    {
        var record = Record(update);
        lock (_writing)
            _file?.Write(record);
    }

    /// <summary>Forgets the document.</summary>
    public void Delete()
    {
        lock (_writing)
        {
            Dispose();
            File.Delete(_path);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        lock (_writing)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private static FileStream Lock(string path, string documentId)
    {
        try
        {
            // Without a buffer each write goes to the system at once.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (IOException exception) when (File.Exists(path))
        {
            throw new CollabException(ClientErrorCodes.AlreadyOpen, $"The local copy of document \"{documentId}\" is open in another program.", exception);
        }
    }

    // Leaves the file at the end of what is whole.
    private List<ReadOnlyMemory<byte>> Read()
    {
        var updates = new List<ReadOnlyMemory<byte>>();
        var bytes = new byte[_file!.Length];
        _file.ReadExactly(bytes);
        var at = 0;
        while (bytes.Length - at >= HeaderBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
            if (length < 0 || length > bytes.Length - at - HeaderBytes)
                break;
            var update = bytes.AsMemory(at + HeaderBytes, length);
            if (Crc32.HashToUInt32(update.Span) != BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4))
                || Updates.ValidateV1(update.Span, new UpdateLimits()) is not null)
            {
                break;
            }
            updates.Add(update);
            at += HeaderBytes + length;
        }
        _file.SetLength(at);
        return updates;
    }

    // The new file is whole on disk before it takes the old one's place.
    private void Replace(byte[] content)
    {
        var path = _path + ".new";
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        file.Write(Record(content));
        file.Flush(flushToDisk: true);
        File.Move(path, _path, overwrite: true);
        _file!.Dispose();
        _file = file;
    }

    private static byte[] Record(byte[] update)
    {
        var record = new byte[HeaderBytes + update.Length];
        BinaryPrimitives.WriteInt32LittleEndian(record, update.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Crc32.HashToUInt32(update));
        update.CopyTo(record, HeaderBytes);
        return record;
    }
}
