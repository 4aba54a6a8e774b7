using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Collab.Testing.Proxies;

/// <summary>A real nginx or haproxy in front of a server, which drops connections on which nothing passes for 5 s.</summary>
public sealed class ReverseProxy : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Process _process;

    private ReverseProxy(int port, string program, string settings, Func<string, string[]> arguments)
    {
        Port = port;
        var file = Path.Combine(_folder.Path, "proxy.conf");
        File.WriteAllText(file, settings.Replace("FOLDER", _folder.Path, StringComparison.Ordinal));
        _process = Process.Start(new ProcessStartInfo(program, arguments(file))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = _folder.Path,
        })!;
    }

    public int Port { get; }

    /// <summary>nginx as it comes, but for the timeouts and what WebSockets need.</summary>
    public static Task<ReverseProxy> NginxAsync(int target)
    {
        var port = TcpRelay.FreePort();
        return new ReverseProxy(port, "/usr/sbin/nginx", $$"""
            daemon off;
            worker_processes 1;
            pid FOLDER/nginx.pid;
            error_log FOLDER/error.log;
            events { worker_connections 1024; }
            http {
              access_log off;
              client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER; uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
              map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://127.0.0.1:{{target}};
                  proxy_http_version 1.1;
                  proxy_set_header Host $http_host;
                  proxy_set_header Upgrade $http_upgrade;
                  proxy_set_header Connection $connection_upgrade;
                  proxy_connect_timeout 5s;
                  proxy_read_timeout 5s;
                  proxy_send_timeout 5s;
                }
              }
            }
            """, file => ["-c", file, "-p", Path.GetDirectoryName(file)!, "-e", "stderr"]).ListeningAsync();
    }

    /// <summary>haproxy with 5 s for every timeout.</summary>
    public static Task<ReverseProxy> HaproxyAsync(int target)
    {
        var port = TcpRelay.FreePort();
        return new ReverseProxy(port, "/usr/sbin/haproxy", $"""
            defaults
              mode http
              timeout connect 5s
              timeout client 5s
              timeout server 5s
              timeout tunnel 5s
            frontend all
              bind 127.0.0.1:{port}
              default_backend collab
            backend collab
              server one 127.0.0.1:{target}

            """, file => ["-db", "-f", file]).ListeningAsync();
    }

    /// <summary>The nginx of <c>deploy/nginx.conf</c>, before these nodes.</summary>
    public static Task<ReverseProxy> DeployedNginxAsync(IReadOnlyList<int> nodes)
    {
        var port = TcpRelay.FreePort();
        var settings = Deployed("nginx.conf", nodes)
            .Replace("listen 8080", $"listen 127.0.0.1:{port}", StringComparison.Ordinal)
            .Replace("http {", """
                http {
                  client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER; uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
                """, StringComparison.Ordinal);
        return new ReverseProxy(port, "/usr/sbin/nginx", $"daemon off; pid FOLDER/nginx.pid; error_log FOLDER/error.log;\n{settings}",
            file => ["-c", file, "-p", Path.GetDirectoryName(file)!, "-e", "stderr"]).ListeningAsync();
    }

    /// <summary>The haproxy of <c>deploy/haproxy.cfg</c>, before these nodes.</summary>
    public static Task<ReverseProxy> DeployedHaproxyAsync(IReadOnlyList<int> nodes)
    {
        var port = TcpRelay.FreePort();
        var settings = Deployed("haproxy.cfg", nodes).Replace("bind :8080", $"bind 127.0.0.1:{port}", StringComparison.Ordinal);
        return new ReverseProxy(port, "/usr/sbin/haproxy", settings, file => ["-db", "-f", file]).ListeningAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }

    private static string Deployed(string file, IReadOnlyList<int> nodes, [CallerFilePath] string here = "")
    {
        var settings = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../../deploy", file));
        for (var i = 0; i < nodes.Count; i++)
            settings = settings.Replace($"node{i + 1}:8080", $"127.0.0.1:{nodes[i]}", StringComparison.Ordinal);
        return settings;
    }

    private async Task<ReverseProxy> ListeningAsync()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            if (_process.HasExited)
                throw new InvalidOperationException($"The proxy ended: {await _process.StandardError.ReadToEndAsync()}");
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync("127.0.0.1", Port);
                return this;
            }
            catch (SocketException)
            {
                await Task.Delay(50);
            }
        }

        throw new TimeoutException("The proxy does not listen.");
    }
}
