// The comparison's other half: the same operations in yjs. Reads the file that the .NET half wrote, prints medians as JSON.
// yjs comes from tests/oracle, so that one version is the oracle and the yardstick.
import { readFileSync } from 'node:fs'

// The ES module: Node runs the CommonJS build several times slower.
const Y = await import(new URL('../../../tests/oracle/node_modules/yjs/dist/yjs.mjs', import.meta.url).href)

const input = readFileSync(process.argv[2])
let at = 0
const number = () => { const value = input.readInt32LE(at); at += 4; return value }
const bytes = () => { const length = number(); at += length; return new Uint8Array(input.subarray(at - length, at)) }
const half = bytes()
const updates = Array.from({ length: number() }, bytes)

const measure = (runs, operation) => {
  let result
  for (let i = 0; i < runs; i++) result = operation()
  const times = Array.from({ length: runs }, () => {
    const started = performance.now()
    result = operation()
    return performance.now() - started
  }).sort((a, b) => a - b)
  return { ms: times[runs >> 1], result: Buffer.from(result).toString('base64') }
}

const mergeHundreds = () => {
  const batches = []
  for (let i = 0; i < updates.length; i += 100) batches.push(Y.mergeUpdates(updates.slice(i, i + 100)))
  return Y.mergeUpdates(batches)
}

const merged = mergeHundreds()
const started = performance.now()
const all = Y.mergeUpdates(updates) // takes seconds, so it runs once
const mergeMilliseconds = performance.now() - started

console.log(JSON.stringify({
  stateVector: measure(100, () => Y.encodeStateVectorFromUpdate(merged)),
  diff: measure(100, () => Y.diffUpdate(merged, half)),
  mergeHundreds: measure(10, mergeHundreds),
  merge: { ms: mergeMilliseconds, result: Buffer.from(all).toString('base64') }
}))
