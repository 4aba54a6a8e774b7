using System.Globalization;
using System.Text.Json;
using Collab.Crdt;
using Terminal.Gui.Drawing;

namespace Collab.Terminal;

/// <summary>Who writes: what others see at his caret and in the chat.</summary>
/// <param name="Id">The same for all his windows.</param>
/// <param name="Name">His name.</param>
/// <param name="Color">A colour on which white text is readable.</param>
internal sealed record Person(string Id, string Name, Color Color)
{
    private const int MaxName = 32;
    private static readonly string[] Colors =
        ["#d6336c", "#ae3ec9", "#7048e8", "#4263eb", "#1971c2", "#0c8599", "#099268", "#2b8a3e", "#c2570c", "#b0413e"];

    public string HexColor => string.Create(CultureInfo.InvariantCulture, $"#{Color.R:x2}{Color.G:x2}{Color.B:x2}");

    /// <summary>Someone of this name, with a colour of his own.</summary>
    public static Person Named(string name)
    {
        var hash = 0u;
        foreach (var letter in name.EnumerateRunes())
            hash = (hash * 31) + (uint)letter.Value;
        return new Person($"terminal-{hash:x8}", Clean(name, MaxName), ColorOf(Colors[hash % Colors.Length]));
    }

    /// <summary>Reads a person of an awareness state. It is a stranger's: anything can be in it.</summary>
    public static Person? Of(Any state)
    {
        if (state.Kind != AnyKind.Object || !state.AsObject().TryGetValue("user", out var user) || user.Kind != AnyKind.Object)
            return null;
        var fields = user.AsObject();
        return new Person("", Clean(TextOf("name"), MaxName) is { Length: > 0 } name ? name : "Guest", ColorOf(TextOf("color")));

        string TextOf(string field) => fields.TryGetValue(field, out var value) && value.TryGetString(out var text) ? text : "";
    }

    /// <summary>Reads a person of a message, or of what a member shows.</summary>
    public static Person Of(JsonElement data)
    {
        return new Person(TextOf(data, "id"), Clean(TextOf(data, "name"), MaxName) is { Length: > 0 } name ? name : "Guest", ColorOf(TextOf(data, "color")));
    }

    /// <summary>A text field of a message; empty when there is none.</summary>
    public static string TextOf(JsonElement data, string field) =>
        data.ValueKind == JsonValueKind.Object && data.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>Text of a stranger as a terminal may show it: without what would steer it.</summary>
    public static string Clean(string text, int maxLength) =>
        new([.. text.Where(letter => !char.IsControl(letter) && char.GetUnicodeCategory(letter) != UnicodeCategory.Format).Take(maxLength)]);

    public Any ToAny(ulong client) => Any.FromObject(("name", Name), ("color", HexColor), ("client", (double)client));

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(new { id = Id, name = Name, color = HexColor });

    private static Color ColorOf(string hex) =>
        hex.Length == 7 && hex[0] == '#' && int.TryParse(hex.AsSpan(1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var rgb)
            ? new Color((rgb >> 16) & 0xff, (rgb >> 8) & 0xff, rgb & 0xff, 255)
            : new Color(0x73, 0x73, 0x7f, 255);
}
