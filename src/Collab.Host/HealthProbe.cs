namespace Collab.Host;

/// <summary>Asks a running server for its health, for images in which there is no other program: <c>Collab.Host health ADDRESS</c>.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <returns>The exit code: 0 when the server answers 200.</returns>
    public static async Task<int> RunAsync(string address)
    {
        using var http = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri(address));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            return 1;
        }
    }
}
