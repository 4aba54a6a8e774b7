// What needs a process that has done nothing else: node fresh.mjs (yjs|ywasm) (cold|heap|used-heap) FILE. Collab.Crdt.Fresh does the same.
// cold prints the milliseconds from before the engine's first use until the text is there; its import is not counted, as the
// start of the .NET runtime is not. heap (with --expose-gc) prints the bytes that the loaded document keeps alive,
// and used-heap those after its text was read and edited too.
import { readFileSync } from 'node:fs'
import { load } from './engines.mjs'

const [engineName, task, file] = process.argv.slice(2)
const engine = await load(engineName)
const read = () => new Uint8Array(readFileSync(file))

const open = update => {
  const doc = engine.doc(1)
  engine.apply(doc, update)
  return doc
}

const use = doc => {
  const text = doc.getText('text')
  const half = text.toString().length >> 1
  text.insert(half, 'x')
  text.delete(half, 1)
}

// What is alive after full collections, with the turns between them in which finalizers run.
const alive = async () => {
  for (let i = 0; i < 4; i++) {
    await new Promise(resolve => setImmediate(resolve))
    globalThis.gc()
  }
  return engine.memory()
}

if (task === 'cold') {
  const update = read()
  const started = performance.now()
  const { length } = open(update).getText('text').toString()
  console.log(JSON.stringify({ value: performance.now() - started, length }))
} else {
  const before = await alive()
  const doc = open(read())
  if (task === 'used-heap') use(doc)
  const value = await alive() - before
  console.log(JSON.stringify({ value, length: doc.getText('text').toString().length }))
}
