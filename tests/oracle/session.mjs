// Random editing sessions: several replicas edit, sync now and then, undo, keep positions and snapshots; what they have emitted
// is then delivered to fresh documents in other orders. A session is told by its profile and its seed alone, and is recorded in
// such a way that another engine can play it and compare each step.
import { hash } from 'node:crypto'
import * as Y from 'yjs'
import { dump } from './dump.mjs'
import { Edits } from './edits.mjs'
import { Random } from './random.mjs'
import { edit, find, newDocument, observe, Replicas } from './replicas.mjs'

// The client id of documents to which updates are delivered; no replica has it.
export const receiver = 424242

const all = ['text', 'rich', 'arr', 'map', 'xml']

// What the sessions of a profile edit; `gc` may be false for snapshots, and some replicas may have it and others not.
const profiles = {
  text: { roots: ['text'] },
  'split-pairs': { roots: ['text', 'rich'], astral: true },
  rich: { roots: ['rich'] },
  array: { roots: ['arr'] },
  map: { roots: ['map'] },
  nested: { roots: ['arr', 'map'], astral: true },
  xml: { roots: ['xml'], astral: true },
  mixed: { roots: all, astral: true },
  // Without types in texts, for what cannot show them.
  documents: { roots: all, astral: true, plainEmbeds: true },
  plain: { roots: all, plainEmbeds: true },
  undo: { roots: all, undo: all },
  'undo-text': { roots: ['text', 'rich'], undo: ['text', 'rich'], astral: true },
  'undo-some': { roots: all, undo: ['rich', 'map'] },
  'sub-docs': { roots: ['map', 'arr'], subDocs: true, undo: ['map', 'arr'] },
  'gc-off': { roots: all, gc: false, snapshots: true },
  'gc-off-undo': { roots: all, undo: all, gc: false, snapshots: true },
  'gc-mixed': { roots: all, gc: 'mixed' },
  // To ask what has changed can delete formats that are not needed, so this is a profile of its own.
  observed: { roots: all, undo: all, astral: true, observed: true },
  // Long enough for what is built only over long texts and lists.
  'long-text': { roots: ['text'], astral: true, steps: 1500 },
  'long-rich': { roots: ['rich'], undo: ['rich'], steps: 1000 },
  'long-lists': { roots: ['arr', 'xml'], steps: 1000 },
  yrs: { roots: ['text', 'rich', 'arr', 'map', 'xml'], json: true }
}

export const profileNames = Object.keys(profiles)

/**
 * Plays the session of a profile and a seed. With `detail`, what is else only hashed is given in full; without `deliver`
 * nothing is delivered to fresh documents.
 */
export const session = ({ profile, seed, detail = false, deliver = true }) => {
  const options = profiles[profile]
  const random = new Random(seed * 31 + profileNames.indexOf(profile))
  const clients = clientIds(random, options.json)
  const gc = options.gc === 'mixed' ? clients.map(() => random.chance(0.5)) : options.gc ?? true
  const recorder = new Recorder({ clients, gc, undo: options.undo, observed: options.observed }, detail)
  recorder.record(random, options)
  recorder.exchangeAll()
  return {
    profile, seed, detail, clients, gc, undo: options.undo ?? null, observed: options.observed ?? false,
    steps: recorder.steps,
    updates: recorder.updates.map(({ v1, v2 }) => ({ v1: base64(v1), v2: recorder.brief(v2) })),
    replicas: recorder.replicas.documents.map(document => ({ ...recorder.visible(document), v2: recorder.brief(Y.encodeStateAsUpdateV2(document)) })),
    events: deliver ? recorder.events() : [],
    deliveries: deliver && recorder.updates.length > 0 ? recorder.deliveries(random) : []
  }
}

class Recorder {
  constructor (options, detail) {
    this.options = options
    this.detail = detail
    this.replicas = new Replicas(options)
    this.steps = []
    this.updates = []
  }

  record (random, options) {
    const edits = new Edits(random, options)
    const { clients } = this.options
    const some = () => random.below(clients.length)
    for (let left = options.steps ?? 4 + random.below(random.chance(0.1) ? 90 : 40); left > 0; left--) {
      const c = some()
      const kind = random.next()
      if (clients.length > 1 && kind < 0.25) {
        const to = some()
        if (to !== c) this.play({ k: 'sync', from: c, to })
      } else if (options.undo && kind < 0.45) {
        this.play({ k: random.chance(0.6) ? 'undo' : 'redo', c })
      } else if (options.snapshots && kind < 0.5) {
        this.snapshot(c)
      } else if (kind > 0.96) {
        this.position(random, c, random.pick(['text', 'rich', 'arr']))
      } else {
        const origin = options.undo && random.chance(0.1) ? { origin: 'elsewhere' } : {}
        this.transaction({ k: 'tx', c, ops: [], ...origin }, random, edits)
      }
    }
  }

  // The edits of a transaction are made up one after another, each for the document that the ones before have left.
  transaction (step, random, edits) {
    const document = this.replicas.documents[step.c]
    this.replicas.begin()
    document.transact(() => {
      for (let count = 1 + random.below(4); count > 0; count--) {
        const operation = edits.next(document)
        step.ops.push(operation)
        edit(document, operation)
      }
    }, step.origin)
    this.add(step, this.replicas.end())
  }

  play (step) {
    this.add(step, this.replicas.play(step))
  }

  add (step, { emitted, made, events, subDocs, stacks }) {
    step.u = emitted.map((_, index) => this.updates.length + index)
    this.updates.push(...emitted)
    if (events) step.events = this.brief(JSON.stringify(events))
    if (subDocs.some(guids => guids.length > 0)) step.subDocs = subDocs
    if (stacks) step.stacks = stacks
    if (made) step.made = step.k === 'sync' ? this.brief(made) : base64(made)
    this.steps.push(step)
  }

  position (random, c, root) {
    const i = random.below(find(this.replicas.documents[c], [root]).length + 1)
    this.play({ k: 'relpos', c, t: [root], i, assoc: random.chance(0.5) ? 0 : -1 })
  }

  snapshot (c) {
    this.play({ k: 'snapshot', c })
    const document = this.replicas.documents[c]
    const restored = Y.createDocFromSnapshot(document, Y.snapshot(document))
    this.steps.at(-1).dump = this.brief(JSON.stringify(dump(restored)))
  }

  /** Everyone syncs with everyone until nothing is new, and looks where the positions have gone. */
  exchangeAll () {
    const count = this.replicas.documents.length
    for (let round = 0; round < 2; round++) {
      for (let from = 0; from < count; from++) {
        for (let to = 0; to < count; to++) if (from !== to) this.play({ k: 'sync', from, to })
      }
    }
    for (const step of this.steps) {
      if (step.k === 'relpos') {
        const position = Y.decodeRelativePosition(Buffer.from(step.made, 'base64'))
        step.final = this.replicas.documents.map(document => Y.createAbsolutePositionFromRelativePosition(position, document)?.index ?? null)
      }
    }
  }

  /** What observers of a fresh document are told as the updates come in the order in which they were emitted. */
  events () {
    const document = newDocument(receiver, this.firstGc)
    const events = observe(document)
    return this.updates.map(({ v1 }) => {
      Y.applyUpdate(document, v1)
      return this.brief(JSON.stringify(events.splice(0)))
    })
  }

  /** Deliveries to fresh documents: in another order, in part, with some more than once; then the rest. */
  deliveries (random) {
    return [['swapped', 1], ['shuffled', 1], ['shuffled', 2]].map(([kind, format]) => {
      const order = this.updates.map((_, index) => index)
      if (kind === 'swapped') {
        for (let i = 0; i + 1 < order.length; i += 1 + random.below(3)) [order[i], order[i + 1]] = [order[i + 1], order[i]]
      } else {
        for (let i = order.length - 1; i > 0; i--) {
          const j = random.below(i + 1);
          [order[i], order[j]] = [order[j], order[i]]
        }
        for (let twice = random.below(4); twice > 0; twice--) order.push(random.pick(order))
      }
      const cut = random.below(order.length)
      const document = newDocument(receiver, this.firstGc)
      const deliver = from => {
        for (const index of from) {
          if (format === 1) Y.applyUpdate(document, this.updates[index].v1)
          else Y.applyUpdateV2(document, this.updates[index].v2)
        }
        return { ...this.visible(document), ...waiting(document), stalls: stalls(document) }
      }
      return { order, cut, format, part: deliver(order.slice(0, cut)), whole: deliver(order.slice(cut)) }
    })
  }

  get firstGc () {
    return [this.options.gc].flat()[0]
  }

  visible (document) {
    return {
      dump: this.brief(JSON.stringify(dump(document))),
      sv: base64(Y.encodeStateVector(document)),
      v1: this.brief(Y.encodeStateAsUpdate(document))
    }
  }

  brief (value) {
    if (!this.detail) return hash('sha256', value).slice(0, 32)
    return typeof value === 'string' ? value : base64(value)
  }
}

const waiting = ({ store }) => ({ structs: store.pendingStructs !== null, deletes: store.pendingDs !== null })

/**
 * True when something waits though it need not: yjs looks again only when a certain clock is passed (engine.md, 1.4).
 */
export const stalls = document => {
  if (document.store.pendingStructs === null && document.store.pendingDs === null) return false
  const copy = newDocument(receiver, false)
  const before = Y.encodeStateVector(document)
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(document))
  for (let last = null; copy.store.pendingStructs !== null && last !== copy.store.pendingStructs.update.length;) {
    const { update } = copy.store.pendingStructs
    last = update.length
    copy.store.pendingStructs = null
    Y.applyUpdateV2(copy, update)
  }
  return base64(Y.encodeStateVector(copy)) !== base64(before)
}

// Small ids, those that yjs makes (32 bits), and the largest that the format holds (53 bits).
const clientIds = (random, only32bits) => {
  const kinds = [index => 1 + index * 7 + random.below(7), () => 2 ** 20 + random.below(2 ** 32 - 2 ** 20)]
  if (!only32bits) kinds.push(() => Number.MAX_SAFE_INTEGER - random.below(2 ** 40), index => random.pick(kinds.slice(0, 3))(index))
  const kind = random.pick(kinds)
  return Array.from({ length: 1 + random.below(random.chance(0.2) ? 6 : 3) }, (_, index) => kind(index))
}

const base64 = array => Buffer.from(array).toString('base64')
