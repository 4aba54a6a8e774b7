using Collab.Crdt;
using Collab.Testing;

namespace Collab.Client.Tests.Documents;

/// <summary>A document with a local copy can be opened and edited offline, and what was edited arrives after the program's end.</summary>
public sealed class LocalCopyTests(ClientServer server) : IClassFixture<ClientServer>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_typed_offline_arrives_when_the_program_comes_back()
    {
        var name = ClientServer.NewName();
        await using (var offline = server.Connect(configure: options => options.Connect = false))
        {
            var mine = Open(offline, name);
            mine.Edit(doc => doc.GetText("text").Insert(0, "kept"));
        }

        await using var online = server.Connect();
        var again = Open(online, name);
        Assert.Equal("kept", TextOf(again));
        await again.WhenAcknowledgedAsync().SoonAsync();

        await using var other = server.Connect("ben");
        var theirs = other.OpenDocument(name);
        await theirs.WhenSyncedAsync().SoonAsync();
        Assert.Equal("kept", TextOf(theirs));
    }

    [Fact]
    public async Task What_others_typed_can_be_read_offline()
    {
        var name = ClientServer.NewName();
        await using (var other = server.Connect("ben"))
        await using (var online = server.Connect())
        {
            var (mine, theirs) = (Open(online, name), other.OpenDocument(name));
            theirs.Edit(doc => doc.GetText("text").Insert(0, "theirs"));
            await Eventually.IsTrueAsync(() => TextOf(mine) == "theirs");
        }

        await using var offline = server.Connect(configure: options => options.Connect = false);

        Assert.Equal("theirs", TextOf(Open(offline, name)));
    }

    [Fact]
    public async Task One_program_at_a_time_has_a_document_open()
    {
        var name = ClientServer.NewName();
        await using var one = server.Connect();
        await using var two = server.Connect();
        var mine = Open(one, name);

        Assert.Equal(ClientErrorCodes.AlreadyOpen, Assert.Throws<CollabException>(() => Open(two, name)).Code);
        Open(two, ClientServer.NewName());
        await mine.DisposeAsync();

        Open(two, name);
    }

    [Fact]
    public void Of_a_file_that_was_cut_everywhere_the_whole_records_are_read()
    {
        var doc = new Doc();
        var url = new Uri("http://localhost/hubs/collab");
        var states = new List<(long Length, string Text)> { (0, "") };
        using (var copy = LocalCopy.Open(_folder.Path, url, "doc", out _))
        {
            doc.ObserveUpdatesV1(change => copy.Append(change.Update));
            foreach (var letter in "abcdef")
            {
                doc.GetText("text").Insert(doc.GetText("text").Length, letter.ToString());
                states.Add((new FileInfo(Directory.GetFiles(_folder.Path).Single()).Length, doc.GetText("text").ToString()!));
            }
        }
        var path = Directory.GetFiles(_folder.Path).Single();
        var whole = File.ReadAllBytes(path);

        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(states.Last(state => state.Length <= length).Text, ReadBack(url));
        }
        var damaged = whole.ToArray();
        damaged[states[3].Length + 9] ^= 1;
        File.WriteAllBytes(path, damaged);
        Assert.Equal("abc", ReadBack(url));
    }

    [Fact]
    public void Many_records_become_one_when_the_document_is_opened()
    {
        var doc = new Doc();
        var url = new Uri("http://localhost/hubs/collab");
        using (var copy = LocalCopy.Open(_folder.Path, url, "doc", out _))
        {
            doc.ObserveUpdatesV1(change => copy.Append(change.Update));
            for (var i = 0; i < 500; i++)
                doc.GetText("text").Insert(doc.GetText("text").Length, "x");
        }
        var before = new FileInfo(Directory.GetFiles(_folder.Path).Single()).Length;

        Assert.Equal(500, ReadBack(url).Length);

        Assert.True(new FileInfo(Directory.GetFiles(_folder.Path).Single()).Length < before / 10);
        Assert.Equal(500, ReadBack(url).Length);
    }

    private SharedDocument Open(CollabConnection connection, string name) =>
        connection.OpenDocument(name, new SharedDocumentOptions { LocalFolder = _folder.Path });

    private string ReadBack(Uri url)
    {
        using var copy = LocalCopy.Open(_folder.Path, url, "doc", out var content);
        var doc = new Doc();
        if (content is not null)
            doc.ApplyV1(content);
        return doc.GetText("text").ToString()!;
    }

    private static string TextOf(SharedDocument document) => document.Read(doc => doc.GetText("text").ToString()!);
}
