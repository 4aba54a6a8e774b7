using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Collab.Crdt;
using Collab.Protocol;
using Collab.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace Collab.Server.Tests.Fanout;

/// <summary>What is written straight to a socket must never pass by what stands before it.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task Over_TLS_all_that_is_written_is_encrypted()
    {
        using var certificate = CreateCertificate();
        await using var host = await CollabTestHost.StartAsync(configure: collab => collab.Services.Configure<KestrelServerOptions>(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.UseSocketOutput();
                listen.UseHttps(certificate);
            })));
        Assert.StartsWith("https://", host.Url, StringComparison.Ordinal);
        await using var writer = await ConnectAsync(host, certificate, "ada");
        await using var reader = await ConnectAsync(host, certificate, "ben");
        var received = new TaskCompletionSource<byte[]>();
        reader.On<string, byte[], string>("DocumentUpdated", (_, update, _) => received.TrySetResult(update));
        await reader.InvokeAsync<JoinedDocument>("JoinDocument", "doc", StateVector.Empty.ToArray());
        await writer.InvokeAsync<JoinedDocument>("JoinDocument", "doc", StateVector.Empty.ToArray());
        var update = new Typist(1).Type("secret");

        await writer.InvokeAsync<string>("PushUpdate", "doc", update);

        Assert.Equal(update, await received.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private static async Task<HubConnection> ConnectAsync(CollabTestHost host, X509Certificate2 certificate, string user)
    {
        var connection = new HubConnectionBuilder().WithUrl(host.Url + HubContract.Path, HttpTransportType.WebSockets, options =>
        {
            options.Headers["Authorization"] = TestAuthentication.Header(user, CollabTestHost.Everything);
            options.HttpMessageHandlerFactory = _ => new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => IsIt(shown) };
            options.WebSocketConfiguration = socket => socket.RemoteCertificateValidationCallback = (_, shown, _, _) => IsIt(shown);
        }).Build();
        await connection.StartAsync();
        return connection;

        bool IsIt(X509Certificate? shown) => shown?.GetCertHashString() == certificate.GetCertHashString();
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
