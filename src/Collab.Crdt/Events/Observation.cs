namespace Collab.Crdt;

/// <summary>Tells observers what a transaction has changed: first those of each type, then those of types that hold them.</summary>
internal static class Observation
{
    public static void Call(Transaction transaction, ref List<Exception>? failures)
    {
        transaction.IsObservable = true;
        Dictionary<Branch, List<TypeEvent>>? deep = null;
        foreach (var changed in transaction.Changed)
        {
            var branch = changed.Branch;
            if (IsDeleted(transaction, branch))
                continue;
            changed.WasObserved = true;
            TypeEvent? happened = null;
            if (branch.Observers is { IsEmpty: false } observers)
                observers.Invoke(happened = new TypeEvent(transaction, changed), ref failures);
            for (var at = branch; at is not null; at = Holder(transaction, at))
            {
                if (at.DeepObservers is not { IsEmpty: false })
                    continue;
                deep ??= [];
                if (!deep.TryGetValue(at, out var events))
                    deep.Add(at, events = []);
                events.Add(happened ??= new TypeEvent(transaction, changed));
            }
            if (!transaction.Local && branch is { HasFormatting: true, Kind: TypeKind.Text or TypeKind.XmlText })
                transaction.NeedsFormattingCleanup = true;
        }
        foreach (var (branch, all) in deep ?? [])
        {
            if (IsDeleted(transaction, branch))
                continue;
            var events = all.FindAll(happened => !IsDeleted(transaction, happened.Target.Branch!));
            foreach (var happened in events)
                happened.Retarget(branch);
            TypeEvent[] outerFirst = [.. events.OrderBy(happened => happened.Path.Count)];
            branch.DeepObservers!.Invoke(outerFirst, ref failures);
        }
    }

    private static Branch? Holder(Transaction transaction, Branch branch) =>
        branch.IsRoot ? null : transaction.Store.ParentOf(transaction.Store[branch.Item]);

    private static bool IsDeleted(Transaction transaction, Branch branch) =>
        branch.IsCollected || (!branch.IsRoot && transaction.Store[branch.Item].IsDeleted);
}
