// One workload in one engine, in a process of its own: node workloads.mjs (yjs|ywasm) WORKLOAD. Prints one line of JSON with the
// times of its phases, the sizes, and a hash of the content, which must be the same in every engine. Workload.cs does the same.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { crowd, letters, make } from './edits.mjs'
import { load } from './engines.mjs'
import { measure } from './measure.mjs'
import { Random } from '../../../tests/oracle/random.mjs'

const [engineName, workload] = process.argv.slice(2)
const engine = await load(engineName)
const phases = {}
const sizes = {}
const time = async (phase, prepare, run) => {
  const { result, ...times } = await measure(engine, prepare, run)
  phases[phase] = times
  return result
}
const nothing = () => {}

// Ids of 32 bits, as clients draw them.
const authors = [3141592653, 2718281828, 1618033988]
const reader = 1414213562

// The kinds of root that workloads work on, and their content as a string that every engine spells alike.
const text = { of: doc => doc.getText('text'), content: text => text.toString() }
const array = { of: doc => doc.getArray('array'), content: array => engine.values(array).join() }
const map = spell => ({ of: doc => doc.getMap('map'), content: map => spell(map.get('key')) })

const edit = (doc, type, { position, removed, inserted }) => {
  if (removed === 0) type.insert(position, inserted)
  else if (inserted.length === 0) type.delete(position, removed)
  else {
    engine.transact(doc, transaction => {
      type.delete(position, removed, transaction)
      type.insert(position, inserted, undefined, transaction)
    })
  }
}

// A document whose updates are kept.
const recording = (client, kind) => {
  const doc = engine.doc(client)
  const updates = []
  engine.onUpdateV1(doc, update => { updates.push(update) })
  return { doc, updates, type: kind.of(doc) }
}

// A document whose updates are counted only: of a whole session they would be millions of small objects.
const counting = (client, kind, listen) => {
  const doc = engine.doc(client)
  const state = { doc, type: kind.of(doc), bytes: 0 }
  listen(doc, update => { state.bytes += update.length })
  return state
}

const replay = (state, edits) => {
  for (let i = 0; i < edits.length; i++) edit(state.doc, state.type, edits[i])
  return state
}

const applyAll = (doc, updates) => {
  for (let i = 0; i < updates.length; i++) engine.apply(doc, updates[i])
  return doc
}

const loaded = (state, apply = engine.apply) => {
  const doc = engine.doc(reader)
  apply(doc, state)
  return doc
}

// What every workload ends with: the finished document is written and read.
const encodeAndParse = async (doc, kind) => {
  const state = await time('encode', nothing, () => engine.encode(doc))
  const parsed = await time('parse', nothing, () => loaded(state))
  sizes.v1 = state.length
  sizes.v2 = engine.encodeV2(doc).length
  const content = kind.content(kind.of(doc))
  if (kind.content(kind.of(parsed)) !== content) throw new Error('what was parsed differs')
  return content
}

// One user makes every edit in a transaction of its own; a second document takes each update.
const alone = async (kind, edits) => {
  const { doc, updates } = await time('local', () => recording(authors[0], kind), state => replay(state, edits))
  sizes.updates = updates.reduce((sum, update) => sum + update.length, 0)
  const remote = await time('remote', () => engine.doc(reader), remote => applyAll(remote, updates))
  if (kind.content(kind.of(remote)) !== kind.content(kind.of(doc))) throw new Error('the remote document differs')
  return encodeAndParse(doc, kind)
}

// Two users edit a text of 100 letters that both have, and then give each other what they did.
const pair = async maker => {
  const start = recording(authors[2], text)
  start.type.insert(0, letters(new Random(0), 100))
  const edits = [make(maker, 1, 100), make(maker, 2, 100)]
  const prepare = () => authors.slice(0, 2).map(client => {
    const user = recording(client, text)
    applyAll(user.doc, start.updates)
    return user
  })
  const edited = await time('edit', prepare, users => users.map((user, i) => replay(user, edits[i])))
  const differences = edited.map(({ doc }, i) => engine.diff(doc, edited[1 - i].doc))
  sizes.updates = differences[0].length + differences[1].length
  const states = edited.map(({ doc }) => engine.encode(doc))
  const [doc, other] = await time('exchange', () => states.map(state => {
    const { doc } = recording(reader, text)
    engine.apply(doc, state)
    return doc
  }), docs => {
    const [first, second] = docs.map((doc, i) => engine.diff(doc, docs[1 - i]))
    engine.apply(docs[0], second)
    engine.apply(docs[1], first)
    return docs
  })
  if (text.content(text.of(doc)) !== text.content(text.of(other))) throw new Error('the users differ')
  return encodeAndParse(doc, text)
}

// Many users change one thing at once, each knowing nothing of the others.
const many = async (kind, change) => {
  const updates = crowd().map((client, i) => {
    const { type, updates } = recording(client, kind)
    change(type, i)
    return updates[0]
  })
  sizes.updates = updates.reduce((sum, update) => sum + update.length, 0)
  const { doc } = await time('apply', () => recording(reader, kind), state => { applyAll(state.doc, updates); return state })
  return encodeAndParse(doc, kind)
}

const traceFile = (name, kind) => gunzipSync(readFileSync(`${process.env.COLLAB_TRACES}/${name}.${kind}.gz`))

// One user's recorded session, every patch in a transaction of its own.
const sequential = async (name, full) => {
  const edits = JSON.parse(traceFile(name, 'seq.json')).txns.flat()
    .map(([position, removed, inserted]) => ({ position, removed, inserted }))
  const { doc, bytes } = await time('apply', () => counting(authors[0], text, engine.onUpdateV1), state => replay(state, edits))
  sizes.updates = bytes
  if (full) {
    const counted = await time('apply, v2 events', () => counting(authors[0], text, engine.onUpdateV2), state => replay(state, edits))
    sizes.updatesV2 = counted.bytes
    const state = await time('encode v2', nothing, () => engine.encodeV2(doc))
    await time('parse v2', nothing, () => loaded(state, engine.applyV2))
  }
  const state = engine.encode(doc)
  await time('parse, read the text', nothing, () => loaded(state).getText('text').toString())
  return encodeAndParse(doc, text)
}

// Recorded updates of several users, one by one.
const concurrent = async name => {
  const file = traceFile(name, 'updates.v1')
  const updates = []
  for (let at = 4; at < file.length;) {
    const length = file.readUInt32LE(at)
    updates.push(new Uint8Array(file.subarray(at + 4, at += 4 + length)))
  }
  const doc = await time('apply', () => engine.doc(reader), doc => applyAll(doc, updates))
  return encodeAndParse(doc, text)
}

const run = () => {
  switch (workload) {
    case 'B1.1': return alone(text, make('appendLetters', 1))
    case 'B1.2': return alone(text, make('insertString', 1))
    case 'B1.3': return alone(text, make('prependLetters', 1))
    case 'B1.4': return alone(text, make('insertLetters', 1))
    case 'B1.5': return alone(text, make('insertWords', 1))
    case 'B1.6': return alone(text, make('insertThenDelete', 1))
    case 'B1.7': return alone(text, make('insertAndDelete', 1))
    case 'B1.8': return alone(array, make('appendNumbers', 1))
    case 'B1.9': return alone(array, make('insertNumberArray', 1))
    case 'B1.10': return alone(array, make('prependNumbers', 1))
    case 'B1.11': return alone(array, make('insertNumbers', 1))
    case 'B2.1': return pair('insertString')
    case 'B2.2': return pair('insertLetters')
    case 'B2.3': return pair('insertWords')
    case 'B2.4': return pair('insertAndDelete')
    case 'B3.1': return many(map(String), (map, i) => map.set('key', i))
    case 'B3.2': return many(map(({ name, address }) => `${name} ${address}`), (map, i) => map.set('key', { name: `${i}`, address: 'here' }))
    case 'B3.3': return many(map(String), (map, i) => map.set('key', `${i} `.repeat(1000)))
    case 'B3.4': return many(array, (array, i) => array.insert(0, [`${i}`]))
    case 'B3.5': return many(text, (text, i) => text.insert(0, `${i}`))
  }
  const [kind, name] = workload.split(':')
  return kind === 'concurrent' ? concurrent(name) : sequential(name, kind === 'full')
}

const content = await run()
console.log(JSON.stringify({ phases, sizes, content: createHash('sha256').update(content).digest('hex').slice(0, 16) }))
process.exit(0)
