// yjs and ywasm behind the same few calls. Both come from tests/oracle, so that one version is the oracle and the yardstick.
// Their shared types have the same methods (insert, delete, set, toString), so only documents and updates differ.
import { createRequire } from 'node:module'

const oracle = new URL('../../../tests/oracle/', import.meta.url)

/** The engine of that name: 'yjs' or 'ywasm'. */
export const load = async name => name === 'ywasm' ? ywasm() : await yjs()

async function yjs () {
  // The ES module: Node runs the CommonJS build several times slower.
  const Y = await import(new URL('node_modules/yjs/dist/yjs.mjs', oracle).href)
  return {
    name: 'yjs',
    doc (client) {
      const doc = new Y.Doc()
      doc.clientID = client
      return doc
    },
    onUpdateV1: (doc, handler) => doc.on('update', handler),
    onUpdateV2: (doc, handler) => doc.on('updateV2', handler),
    transact: (doc, body) => doc.transact(() => body()),
    apply: (doc, update) => Y.applyUpdate(doc, update),
    applyV2: (doc, update) => Y.applyUpdateV2(doc, update),
    encode: doc => Y.encodeStateAsUpdate(doc),
    encodeV2: doc => Y.encodeStateAsUpdateV2(doc),
    diff: (doc, other) => Y.encodeStateAsUpdate(doc, Y.encodeStateVector(other)),
    values: array => array.toArray(),
    mark: () => 0,
    release: () => {},
    memory: () => process.memoryUsage().heapUsed + process.memoryUsage().external
  }
}

function ywasm () {
  const Y = createRequire(oracle)('ywasm') // published as CommonJS only
  const docs = []
  return {
    name: 'ywasm',
    doc (client) {
      const doc = new Y.YDoc({ clientID: client })
      docs.push(doc)
      return doc
    },
    onUpdateV1: (doc, handler) => doc.onUpdate(handler),
    onUpdateV2: (doc, handler) => doc.onUpdateV2(handler),
    transact (doc, body) {
      const transaction = doc.beginTransaction()
      body(transaction)
      transaction.commit()
      transaction.free()
    },
    apply: (doc, update) => Y.applyUpdate(doc, update),
    applyV2: (doc, update) => Y.applyUpdateV2(doc, update),
    encode: doc => Y.encodeStateAsUpdate(doc),
    encodeV2: doc => Y.encodeStateAsUpdateV2(doc),
    diff: (doc, other) => Y.encodeStateAsUpdate(doc, Y.encodeStateVector(other)),
    values: array => array.toJson(),
    // Its documents are not collected: those made since a mark are freed by hand.
    mark: () => docs.length,
    release (mark) { for (const doc of docs.splice(mark)) doc.free() },
    memory: () => process.memoryUsage().heapUsed + process.memoryUsage().external // which has the linear memory in it
  }
}
