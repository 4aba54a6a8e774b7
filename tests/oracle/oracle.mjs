// yjs as an oracle. Each line on stdin is a JSON request, each line on stdout its answer, in order.
//   {op: "document", seed, astral?}      -> {updates, updatesV2, states}: the updates of a random session, and the replicas' full states
//   {op: "algebra", updates, target?}
//                                        -> {merged, stateVector, diff, mergedV2, stateVectorV2, diffV2, backToV1, error?}: yjs' own
//                                           results on bytes, and on the same updates converted to format v2
//   {op: "json", texts}                  -> {texts}: each parsed and written again
//   {op: "apply", updates}               -> {dump, stateVector, state, pending}: a fresh document after applying them in order
//   {op: "wasm", updates}                -> the text that yrs reads, to see that other engines accept the bytes
// Bytes are base64.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { dump } from './dump.mjs'
import { positionOperations } from './positions.mjs'
import { randomDocument } from './session.mjs'

const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const base64 = array => Buffer.from(array).toString('base64')

const operations = {
  ...positionOperations,
  document: ({ seed, astral }) => {
    const { updates, updatesV2, states } = randomDocument(seed, astral)
    return { updates: updates.map(base64), updatesV2: updatesV2.map(base64), states: states.map(base64) }
  },
  algebra: ({ updates, target }) => {
    const merged = Y.mergeUpdates(updates.map(bytes))
    const mergedV2 = Y.mergeUpdatesV2(updates.map(update => Y.convertUpdateFormatV1ToV2(bytes(update))))
    return {
      merged: base64(merged),
      stateVector: base64(Y.encodeStateVectorFromUpdate(merged)),
      diff: base64(Y.diffUpdate(merged, bytes(target ?? 'AA=='))),
      mergedV2: base64(mergedV2),
      stateVectorV2: base64(Y.encodeStateVectorFromUpdateV2(mergedV2)),
      diffV2: base64(Y.diffUpdateV2(mergedV2, bytes(target ?? 'AA=='))),
      backToV1: base64(Y.convertUpdateFormatV2ToV1(mergedV2))
    }
  },
  json: ({ texts }) => ({ texts: texts.map(text => JSON.stringify(JSON.parse(text))) }),
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
