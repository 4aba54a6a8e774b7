using System.Runtime.InteropServices;

namespace Collab.Kafka.Tests;

/// <summary>
/// Three brokers of librdkafka's own mock cluster: Kafka's protocol on loopback, with what was produced in memory.
/// </summary>
internal sealed partial class KafkaMock : IDisposable
{
    private const int Brokers = 3;
    // The build without Kerberos, which needs no other library: Confluent.Kafka takes it too, where there is none.
    private const string Library = "centos8-librdkafka";

    private readonly IntPtr _client;
    private readonly IntPtr _cluster;

    public KafkaMock()
    {
        // It lives in a client; which one does not matter.
        _client = NewClient(0, NewConfiguration(), new byte[512], 512);
        _cluster = NewCluster(_client, Brokers);
    }

    public string BootstrapServers => Marshal.PtrToStringUTF8(BootstrapsOf(_cluster))!;

    public void CreateTopic(string topic, int partitions)
    {
        if (NewTopic(_cluster, topic, partitions, Brokers) != 0)
            throw new InvalidOperationException("The topic cannot be made.");
    }

    /// <summary>Cuts all connections, and takes none.</summary>
    public void Down() => Each(SetDown);

    public void Up() => Each(SetUp);

    /// <summary>Answers the next batch that is produced with an error.</summary>
    /// <param name="error">Its code in Kafka's protocol.</param>
    public void FailNext(int error) => PushErrors(_cluster, 0, 1, [error]);

    public void Dispose()
    {
        EndCluster(_cluster);
        EndClient(_client);
    }

    private void Each(Func<IntPtr, int, int> change)
    {
        for (var broker = 1; broker <= Brokers; broker++)
            change(_cluster, broker);
    }

    [LibraryImport(Library, EntryPoint = "rd_kafka_conf_new")]
    private static partial IntPtr NewConfiguration();

    [LibraryImport(Library, EntryPoint = "rd_kafka_new")]
    private static partial IntPtr NewClient(int type, IntPtr configuration, [Out] byte[] error, nuint errorBytes);

    [LibraryImport(Library, EntryPoint = "rd_kafka_destroy")]
    private static partial void EndClient(IntPtr client);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_new")]
    private static partial IntPtr NewCluster(IntPtr client, int brokers);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_destroy")]
    private static partial void EndCluster(IntPtr cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static partial IntPtr BootstrapsOf(IntPtr cluster);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_topic_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int NewTopic(IntPtr cluster, string topic, int partitions, int replicas);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static partial int SetDown(IntPtr cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static partial int SetUp(IntPtr cluster, int broker);

    [LibraryImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static partial void PushErrors(IntPtr cluster, short request, nuint count, int[] errors);
}
