namespace Collab.Crdt;

/// <summary>
/// Steps over values in lib0's Any encoding (a tag from 116 to 127, then the value) without building them.
/// Nesting costs no call stack, so that no input can overflow it.
/// </summary>
internal static class AnyValue
{
    private const byte Bytes = 116, Array = 117, Object = 118, Text = 119, True = 120, False = 121, BigInt = 122, Float64 = 123,
        Float32 = 124, Integer = 125, Null = 126, Undefined = 127;

    /// <summary>A container that has been entered: how many members are still to be read.</summary>
    private readonly record struct Container(int Left, bool IsObject);

    /// <summary>True when the value ahead is an object.</summary>
    public static bool IsObject(in Lib0Reader reader) => reader.Remaining > 0 && reader.Bytes[reader.Position] == Object;

    /// <summary>Steps over one value, nested at most <paramref name="maxDepth"/> deep.</summary>
    public static void Skip(ref Lib0Reader reader, int maxDepth)
    {
        var start = reader.Position;
        var innermost = SkipUpToMembers(ref reader);
        if (innermost.Left == 0)
            return;

        var outer = new Stack<Container>();
        while (true)
        {
            if (innermost.Left == 0)
            {
                if (outer.Count == 0)
                    return;
                innermost = outer.Pop();
                continue;
            }
            if (outer.Count >= maxDepth)
                throw Faults.TooDeep(start, maxDepth);
            innermost = innermost with { Left = innermost.Left - 1 };
            if (innermost.IsObject)
                reader.ReadVarString();
            var member = SkipUpToMembers(ref reader);
            if (member.Left == 0)
                continue;
            outer.Push(innermost);
            innermost = member;
        }
    }

    /// <summary>Steps over a plain value, or over the tag and count of a container.</summary>
    private static Container SkipUpToMembers(ref Lib0Reader reader)
    {
        var start = reader.Position;
        switch (reader.ReadByte())
        {
            case Undefined or Null or False or True:
                break;
            case Integer:
                reader.SkipVarInt();
                break;
            case Float32:
                reader.ReadBytes(4);
                break;
            case Float64 or BigInt:
                reader.ReadBytes(8);
                break;
            case Text:
                reader.ReadVarString();
                break;
            case Bytes:
                reader.ReadVarBytes();
                break;
            case Array:
                return new Container(reader.ReadCount(bytesEach: 1), IsObject: false);
            case Object:
                return new Container(reader.ReadCount(bytesEach: 2), IsObject: true);
            case var tag:
                throw Faults.UnknownAny(start, tag);
        }
        return default;
    }
}
