import * as Y from "yjs";

/**
 * What `doc` has and the server lacks, as one update; undefined when that is nothing.
 *
 * A state vector counts insertions only, so `encodeStateAsUpdate(doc, stateVector)` always carries all deletions of the document, and
 * says nothing about whether the server knows them. Therefore they are compared with the deletions in the server's own answer.
 *
 * @param doc the document, with `serverUpdate` applied.
 * @param serverUpdate the server's answer: it carries all deletions that the server knows.
 * @param serverStateVector what the server has.
 */
export function missingUpdate(doc: Y.Doc, serverUpdate: Uint8Array, serverStateVector: Uint8Array): Uint8Array | undefined {
  const known = Y.decodeStateVector(serverStateVector);
  for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(doc)))
    if (clock > (known.get(client) ?? 0)) return Y.encodeStateAsUpdate(doc, serverStateVector);
  return hasUnknownDeletions(doc, serverUpdate) ? Y.encodeStateAsUpdate(doc, serverStateVector) : undefined;
}

function hasUnknownDeletions(doc: Y.Doc, serverUpdate: Uint8Array): boolean {
  const known = merged(Y.decodeUpdate(serverUpdate).ds);
  for (const [client, ranges] of merged(Y.createDeleteSetFromStructStore(doc.store))) {
    const knownRanges = known.get(client) ?? [];
    for (const [start, end] of ranges) if (!knownRanges.some(([s, e]) => s <= start && end <= e)) return true;
  }
  return false;
}

/** The deletions per client as disjoint ranges [start, end) with no two touching each other. */
function merged(deletions: ReturnType<typeof Y.createDeleteSetFromStructStore>): Map<number, [start: number, end: number][]> {
  const result = new Map<number, [number, number][]>();
  for (const [client, items] of deletions.clients) {
    const ranges: [number, number][] = [];
    for (const { clock, len } of [...items].sort((a, b) => a.clock - b.clock)) {
      const last = ranges.at(-1);
      if (last && clock <= last[1]) last[1] = Math.max(last[1], clock + len);
      else ranges.push([clock, clock + len]);
    }
    result.set(client, ranges);
  }
  return result;
}
