using Microsoft.Extensions.Options;

namespace Collab.Host;

/// <summary>Runs the server, and answers wrong settings with a sentence for the operator instead of a stack trace.</summary>
internal static class HostRun
{
    private const int SettingsAreWrong = 1;

    /// <returns>The exit code: 0 after a clean stop, 1 when the server could not start as it is set up.</returns>
    public static async Task<int> RunAsync(Func<WebApplication> build)
    {
        var started = false;
        try
        {
            var app = build();
            app.Lifetime.ApplicationStarted.Register(() => started = true);
            await app.RunAsync();
            return 0;
        }
        catch (Exception exception) when (!started && IsOfSettings(exception))
        {
            await Console.Error.WriteLineAsync($"Collab did not start: {exception.Message}");
            return SettingsAreWrong;
        }
    }

    /// <summary>A refused or unreadable setting, a settings file that is not JSON, an address that is none or in use.</summary>
    private static bool IsOfSettings(Exception exception) => exception is
        OptionsValidationException or InvalidOperationException or InvalidDataException or FormatException or IOException;
}
