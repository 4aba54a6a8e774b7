// yjs as an oracle. Each line on stdin is a JSON request, each line on stdout its answer, in order.
//   {op: "document", seed, astral?}      -> {updates, updatesV2, states}: the updates of a random session, and the replicas' full states
//   {op: "profiles"}                     -> {names}: of the kinds of sessions there are
//   {op: "sessions", profile, from, count, detail?}
//                                        -> {sessions}: recorded sessions (session.mjs) of the seeds from there on, and what yrs reads
//   {op: "play", clients, gc, undo?, steps}
//                                        -> {updates, dumps}: of each step of a session from elsewhere, and of each replica at the end
//   {op: "algebra", updates, target?}
//                                        -> {merged, stateVector, diff, mergedV2, stateVectorV2, diffV2, backToV1, error?}: yjs' own
//                                           results on bytes, and on the same updates converted to format v2
//   {op: "json", texts}                  -> {texts}: each parsed and written again
//   {op: "apply", updates, v2?, gc?}     -> {dump, stateVector, state, stateV2, pending, stalls}: a fresh document after applying them in order,
//                                           then those in format v2
//   {op: "wasm", updates}                -> the text that yrs reads, to see that other engines accept the bytes
// Bytes are base64.
import { createInterface } from 'node:readline'
import * as Y from 'yjs'
import { dump } from './dump.mjs'
import { positionOperations } from './positions.mjs'
import { Replicas } from './replicas.mjs'
import { profileNames, session, stalls } from './session.mjs'
import { inYrs } from './yrs.mjs'

// Answers have standard output for themselves; yjs' warnings go elsewhere.
console.log = console.error

const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const base64 = array => Buffer.from(array).toString('base64')

const operations = {
  ...positionOperations,
  document: ({ seed, astral = true }) => {
    const { updates, replicas } = session({ profile: astral ? 'documents' : 'plain', seed, detail: true, deliver: false })
    return { updates: updates.map(({ v1 }) => v1), updatesV2: updates.map(({ v2 }) => v2), states: replicas.map(({ v1 }) => v1) }
  },
  profiles: () => ({ names: profileNames }),
  sessions: ({ profile, from, count, detail }) => ({
    sessions: Array.from({ length: count }, (_, index) => {
      const seed = from + index
      try {
        const played = session({ profile, seed, detail })
        return profile === 'yrs' ? { ...played, yrs: inYrs(played.updates.map(({ v1 }) => bytes(v1))) } : played
      } catch (error) {
        throw new Error(`Session ${profile} ${seed}: ${error.stack}`)
      }
    })
  }),
  play: ({ steps, ...options }) => {
    const replicas = new Replicas(options)
    return {
      updates: steps.map(step => replicas.play(step).emitted.map(({ v1, v2 }) => ({ v1: base64(v1), v2: base64(v2) }))),
      dumps: replicas.documents.map(document => JSON.stringify(dump(document)))
    }
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
  apply: ({ updates, v2 = [], gc = true }) => {
    const document = new Y.Doc({ gc })
    for (const update of updates) Y.applyUpdate(document, bytes(update))
    for (const update of v2) Y.applyUpdateV2(document, bytes(update))
    return {
      dump: JSON.stringify(dump(document)),
      stateVector: base64(Y.encodeStateVector(document)),
      state: base64(Y.encodeStateAsUpdate(document)),
      stateV2: base64(Y.encodeStateAsUpdateV2(document)),
      pending: document.store.pendingStructs !== null || document.store.pendingDs !== null,
      stalls: stalls(document)
    }
  },
  wasm: ({ updates }) => ({ text: inYrs(updates.map(bytes)).text })
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
