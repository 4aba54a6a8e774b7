// Random editing sessions: several replicas edit every kind of shared type, sync now and then, and undo.
import * as Y from 'yjs'
import { Random } from './random.mjs'

const plainWords = ['a', 'bc', 'the ', 'quick', '\n', 'é', 'Ω', '漢字']
const astralWords = [...plainWords, '😀', '👩‍👧', 'x😀y']
let words = astralWords
const keys = ['k', 'title', '1', '__meta']

/**
 * Plays the session of a seed: every update its replicas emitted, in both formats, and each replica's full state at the end. Without `astral`
 * no text has surrogate pairs, which engines split in different ways.
 */
export const randomDocument = (seed, astral = true) => {
  words = astral ? astralWords : plainWords
  const random = new Random(seed)
  const gc = random.chance(0.85)
  const replicas = Array.from({ length: 1 + random.below(4) }, (_, index) => {
    const document = new Y.Doc({ gc })
    document.clientID = clientId(random, index)
    return document
  })
  const updates = []
  const updatesV2 = []
  const managers = replicas.map(document => {
    document.on('update', (update, origin) => { if (origin !== 'sync') updates.push(update) })
    document.on('updateV2', (update, origin) => { if (origin !== 'sync') updatesV2.push(update) })
    const roots = [document.getText('text'), document.getText('rich'), document.getArray('array'), document.getMap('map')]
    document.getXmlFragment('xml')
    return new Y.UndoManager(roots, { captureTimeout: 0 })
  })

  const steps = 5 + random.below(60)
  for (let step = 0; step < steps; step++) {
    const index = random.below(replicas.length)
    if (random.chance(0.2)) {
      sync(random.pick(replicas), replicas[index])
    } else if (random.chance(0.06)) {
      random.chance(0.5) ? managers[index].undo() : managers[index].redo()
    } else {
      replicas[index].transact(() => {
        for (let edits = 1 + random.below(3); edits > 0; edits--) edit(random, replicas[index])
      })
    }
  }
  return { updates, updatesV2, states: replicas.map(document => Y.encodeStateAsUpdate(document)) }
}

// Small ids, those that yjs makes (32 bits), and the largest that the format holds (53 bits).
const clientId = (random, index) => {
  switch (random.below(3)) {
    case 0: return 1 + index * 7 + random.below(7)
    case 1: return random.below(2 ** 32)
    default: return Number.MAX_SAFE_INTEGER - random.below(2 ** 40)
  }
}

const sync = (from, to) => {
  if (from !== to) Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)), 'sync')
}

const edit = (random, document) => {
  switch (random.below(9)) {
    case 0: case 1: case 2: return editText(random, document.getText('text'), false)
    case 3: case 4: return editText(random, document.getText('rich'), true)
    case 5: return editArray(random, document.getArray('array'), 0)
    case 6: case 7: return editMap(random, document.getMap('map'), 0)
    default: return editXml(random, document.getXmlFragment('xml'), 0)
  }
}

const editText = (random, text, formatted) => {
  const length = text.length
  const at = random.chance(0.5) ? length : random.below(length + 1)
  if (length > 0 && random.chance(0.3)) {
    const from = random.below(length)
    const count = Math.min(length - from, 1 + random.below(6))
    if (formatted && random.chance(0.5)) return text.format(from, count, attributes(random, true))
    return text.delete(from, count)
  }
  if (formatted && random.chance(0.15)) return text.insertEmbed(at, { image: random.pick(words), size: random.below(100) })
  text.insert(at, random.pick(words), formatted && random.chance(0.4) ? attributes(random, false) : undefined)
}

const attributes = (random, mayEnd) => ({
  [random.pick(['bold', 'em', 'link'])]: mayEnd && random.chance(0.3) ? null : random.pick([true, { href: 'é"\\' }, 'x', 3])
})

const editArray = (random, array, depth) => {
  const length = array.length
  if (length > 0 && random.chance(0.3)) {
    const from = random.below(length)
    return array.delete(from, Math.min(length - from, 1 + random.below(3)))
  }
  const nested = array.toArray().filter(item => item instanceof Y.AbstractType)
  if (nested.length > 0 && random.chance(0.4)) return editNested(random, random.pick(nested), depth + 1)
  const at = random.below(length + 1)
  if (random.chance(0.3)) return array.insert(at, [nestedType(random)])
  array.insert(at, Array.from({ length: 1 + random.below(4) }, () => value(random, false)))
}

const editMap = (random, map, depth) => {
  const key = random.pick(keys)
  const current = map.get(key)
  if (current instanceof Y.AbstractType && random.chance(0.6)) return editNested(random, current, depth + 1)
  if (random.chance(0.2)) return map.delete(key)
  if (random.chance(0.25)) return map.set(key, nestedType(random))
  if (random.chance(0.08)) return map.set(key, new Y.Doc({ guid: 'guid-' + random.below(100), autoLoad: random.chance(0.5), meta: { n: 1 } }))
  map.set(key, value(random, true))
}

const editXml = (random, parent, depth) => {
  const children = parent.toArray()
  const child = children.length > 0 ? random.pick(children) : null
  if (child instanceof Y.XmlElement && depth < 4 && random.chance(0.5)) {
    return random.chance(0.4) ? child.setAttribute(random.pick(keys), random.pick(words)) : editXml(random, child, depth + 1)
  }
  if (child instanceof Y.XmlText && random.chance(0.6)) return editText(random, child, true)
  if (child !== null && random.chance(0.2)) return parent.delete(random.below(children.length), 1)
  parent.insert(random.below(children.length + 1), [random.chance(0.5) ? new Y.XmlElement(random.pick(['p', 'div'])) : new Y.XmlText(random.pick(words))])
}

const editNested = (random, type, depth) => {
  if (type instanceof Y.Text) return editText(random, type, true)
  if (type instanceof Y.Array) return editArray(random, type, depth)
  if (type instanceof Y.Map) return editMap(random, type, depth)
}

const nestedType = random => random.pick([() => new Y.Array(), () => new Y.Map(), () => new Y.Text('n')])()

const value = (random, inMap) => random.pick([
  () => random.below(1000) - 500, () => random.next() * 1e6, () => 2 ** 40, () => -0.5, () => true, () => null,
  () => random.pick(words), () => ({ a: [1, 'é', { b: null }], n: random.below(9) }), () => new Uint8Array([1, 2, 250]),
  () => inMap ? 12345678901234567890n % (1n << 62n) : 'plain', () => inMap ? undefined : [[], {}]
])()
