using System.Text;

namespace Collab.Crdt;

/// <content>
/// The two forms in which positions are kept and sent, both those of yjs. In binary, without the type where there is a neighbour:
/// <code>
/// position = (0 client clock | 1 root-name | 2 client clock) [association]      association: signed, below 0 for Before; old ones lack it
/// </code>
/// </content>
public sealed partial record StickyIndex
{
    private const int UnitTag = 0, RootTag = 1, TypeTag = 2;

    /// <summary>The position in bytes, as <c>encodeRelativePosition</c> of yjs writes it.</summary>
    public byte[] Encode()
    {
        using var writer = new Lib0Writer(32);
        if (_unit is { } unit)
        {
            writer.WriteVarUint(UnitTag);
            WriteId(writer, unit);
        }
        else if (_root is not null)
        {
            writer.WriteVarUint(RootTag);
            writer.WriteVarString(_root);
        }
        else
        {
            writer.WriteVarUint(TypeTag);
            WriteId(writer, _typeItem!.Value);
        }
        writer.WriteVarInt((int)Association, Association == Association.Before);
        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/>, or yjs, has written.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="InvalidUpdateException">The bytes are not a position.</exception>
    public static StickyIndex Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new Lib0Reader(bytes);
        StructId? unit = null, typeItem = null;
        string? root = null;
        switch (reader.ReadVarUint())
        {
            case UnitTag:
                unit = StructId.Read(ref reader);
                break;
            case RootTag:
                root = Encoding.UTF8.GetString(reader.ReadVarString());
                break;
            case TypeTag:
                typeItem = StructId.Read(ref reader);
                break;
            case var tag:
                throw Faults.At(UpdateFaultKind.UnknownValue, 0, $"no position has tag {tag}");
        }
        var association = reader.Remaining > 0 && reader.ReadVarInt() < 0 ? Association.Before : Association.After;
        if (reader.Remaining > 0)
            throw Faults.At(UpdateFaultKind.TrailingBytes, reader.Position, $"{reader.Remaining} bytes after the end");
        return new StickyIndex(unit, root, typeItem, association);
    }

    /// <summary>The position as an object, as <c>relativePositionToJSON</c> of yjs gives it.</summary>
    public Any ToJson()
    {
        var json = new OrderedDictionary<string, Any>();
        if (_typeItem is { } typeItem)
            json["type"] = IdToJson(typeItem);
        // yjs leaves out a root without a name also where nothing else says what is meant, and then cannot read it again.
        if (_root is { } root && (root.Length > 0 || _unit is null))
            json["tname"] = root;
        if (_unit is { } unit)
            json["item"] = IdToJson(unit);
        json["assoc"] = (int)Association;
        return Any.FromObject(json);
    }

    /// <summary>Reads what <see cref="ToJson"/>, or yjs, has given.</summary>
    /// <param name="json">The object.</param>
    /// <exception cref="InvalidUpdateException">The value is not a position; there is no offset, so it is 0.</exception>
    public static StickyIndex FromJson(Any json)
    {
        if (json.Kind != AnyKind.Object)
            throw NotAPosition("it is not an object");
        var members = json.AsObject();
        var unit = IdFromJson(members, "item");
        var typeItem = IdFromJson(members, "type");
        var root = Member(members, "tname");
        if (root is not { Kind: AnyKind.String or AnyKind.Null })
            throw NotAPosition("its root name is not a text");
        if (unit is null && typeItem is null && root.Kind == AnyKind.Null)
            throw NotAPosition("it names neither a unit nor a type");
        var association = Member(members, "assoc");
        if (association is not { Kind: AnyKind.Number or AnyKind.Null })
            throw NotAPosition("its association is not a number");
        var isBefore = association.Kind == AnyKind.Number && association.AsNumber() < 0;
        return new StickyIndex(
            unit, root.TryGetString(out var name) ? name : null, typeItem, isBefore ? Association.Before : Association.After);
    }

    private static void WriteId(Lib0Writer writer, StructId id)
    {
        writer.WriteVarUint(id.Client);
        writer.WriteVarUint(id.Clock);
    }

    private static Any IdToJson(StructId id) => Any.FromObject(("client", (double)id.Client), ("clock", (double)id.Clock));

    private static StructId? IdFromJson(IReadOnlyDictionary<string, Any> members, string name)
    {
        var id = Member(members, name);
        if (id.Kind == AnyKind.Null)
            return null;
        if (id.Kind != AnyKind.Object)
            throw NotAPosition("an id is not an object");
        return new StructId(
            Number(id.AsObject(), "client", Lib0Reader.MaxSafeInteger), (uint)Number(id.AsObject(), "clock", UpdateLimits.HighestClock));
    }

    private static ulong Number(IReadOnlyDictionary<string, Any> members, string name, ulong max)
    {
        var number = Member(members, name);
        if (number.Kind != AnyKind.Number || !(number.AsNumber() is >= 0 and var value && value <= max && Math.Floor(value) == value))
            throw NotAPosition($"an id has no {name} from 0 to {max}");
        return (ulong)number.AsNumber();
    }

    private static Any Member(IReadOnlyDictionary<string, Any> members, string name) =>
        members.TryGetValue(name, out var value) && !value.IsNullish ? value : Any.Null;

    private static InvalidUpdateException NotAPosition(string why) =>
        Faults.At(UpdateFaultKind.UnknownValue, 0, $"a value is not a position: {why}");
}
