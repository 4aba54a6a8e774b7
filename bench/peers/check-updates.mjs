// Applies the updates that the load generator makes (a line each: document, bytes in hex) with yjs, in order, reversed and
// merged, and prints what came out. Fails when yjs is left waiting for something, or when the orders disagree.
import { createInterface } from "node:readline";
import * as Y from "yjs";

const documents = new Map();
for await (const line of createInterface({ input: process.stdin })) {
  const [document, hex] = line.split(" ");
  if (!documents.has(document)) documents.set(document, []);
  documents.get(document).push(Buffer.from(hex, "hex"));
}

const text = (updates) => {
  const doc = new Y.Doc();
  for (const update of updates) Y.applyUpdate(doc, update);
  if (doc.store.pendingStructs !== null) throw new Error("yjs waits for structs that never came");
  return doc.getText("text").toString();
};
for (const [document, updates] of documents) {
  const inOrder = text(updates);
  if (text(updates.toReversed()) !== inOrder || text([Y.mergeUpdates(updates)]) !== inOrder) throw new Error("orders disagree");
  const sizes = updates.map((update) => update.length);
  console.log(`${document}: ${updates.length} updates of ${Math.min(...sizes)} to ${Math.max(...sizes)} bytes, `
    + `${inOrder.length} characters, ${Y.mergeUpdates(updates).length} bytes merged`);
}
