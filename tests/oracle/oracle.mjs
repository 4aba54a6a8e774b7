// yjs as an oracle. Each line on stdin is a JSON request, each line on stdout its answer, in order.
//   {op: "document", seed, astral?}      -> {updates, states}: the updates of a random session, and the replicas' full states
//   {op: "algebra", updates, target?}
//                                        -> {merged, stateVector, diff, error?}: yjs' own results on bytes
//   {op: "apply", updates}               -> {dump, stateVector, state, pending}: a fresh document after applying them in order
//   {op: "wasm", updates}                -> the text that yrs reads, to see that other engines accept the bytes
// Bytes are base64.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { dump } from './dump.mjs'
import { randomDocument } from './session.mjs'

const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const base64 = array => Buffer.from(array).toString('base64')

const operations = {
  document: ({ seed, astral }) => {
    const { updates, states } = randomDocument(seed, astral)
    return { updates: updates.map(base64), states: states.map(base64) }
  },
  algebra: ({ updates, target }) => {
    const merged = Y.mergeUpdates(updates.map(bytes))
    return {
      merged: base64(merged),
      stateVector: base64(Y.encodeStateVectorFromUpdate(merged)),
      diff: base64(Y.diffUpdate(merged, bytes(target ?? 'AA==')))
    }
  },
  apply: ({ updates, gc = true }) => {
    const document = new Y.Doc({ gc })
    for (const update of updates) Y.applyUpdate(document, bytes(update))
    return {
      dump: JSON.stringify(dump(document)),
      stateVector: base64(Y.encodeStateVector(document)),
      state: base64(Y.encodeStateAsUpdate(document)),
      pending: document.store.pendingStructs !== null || document.store.pendingDs !== null
    }
  },
  wasm: async ({ updates }) => {
    const ywasm = await import('ywasm')
    const document = new ywasm.YDoc()
    for (const update of updates) ywasm.applyUpdate(document, bytes(update))
    return { text: document.getText('text').toString() }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = await operations[request.op](request)
  } catch (error) {
    answer = { error: String(error?.message ?? error) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
