// Replicas of one document in yjs, played in the operation language of the vectors (tests/Collab.Crdt.Tests/vectors/FORMAT.md),
// which has a little more here: `etype` embeds a shared type in a text, `adoc` puts a subdocument into an array, a transaction
// may have an origin, `relpos` makes a relative position, and `snapshot` a snapshot.
import * as Y from 'yjs'
import { described, roots, untagged } from './dump.mjs'

/**
 * Several replicas, by their client ids. With `undo`, each has an UndoManager over those roots, for which a transaction is a
 * step; with `observed` all their roots are observed.
 */
export class Replicas {
  constructor ({ clients, gc, undo, observed }) {
    this.documents = clients.map((client, index) => newDocument(client, Array.isArray(gc) ? gc[index] : gc))
    this.begin()
    for (const document of this.documents) {
      // A sync carries what others have emitted.
      document.on('update', (update, origin) => { if (origin !== 'sync') this.emitted.push({ v1: update }) })
      document.on('updateV2', (update, origin) => { if (origin !== 'sync') this.emitted[this.emitted.length - 1].v2 = update })
      document.on('subdocs', ({ added, removed, loaded }) => [added, removed, loaded].forEach((documents, kind) => {
        for (const { guid } of documents) this.subDocs[kind].add(guid)
      }))
    }
    this.events = observed && this.documents.map(observe)
    this.managers = undo && this.documents.map(document =>
      new Y.UndoManager(undo.map(root => roots(document)[root]), { captureTimeout: 0 }))
  }

  /** Plays a step. Returns what `end` does, and what the step itself has made, if anything. */
  play (step) {
    this.begin()
    const made = steps[step.k](this, step)
    return { made, ...this.end() }
  }

  begin () {
    this.emitted = []
    this.subDocs = [new Set(), new Set(), new Set()]
  }

  /**
   * What has happened since `begin`: the updates emitted, what observers were told, the subdocuments that came, went
   * and were to be loaded (yjs tells of some twice); and how much there is to undo and redo.
   */
  end () {
    return {
      emitted: this.emitted,
      subDocs: this.subDocs.map(guids => [...guids].sort()),
      events: this.events && this.events.map(events => events.splice(0)),
      stacks: this.managers && this.managers.map(({ undoStack, redoStack }) => [undoStack.length, redoStack.length])
    }
  }
}

/** Observes all roots of a document. Returns a list to which each call of an observer is added. */
export const observe = document => {
  const calls = []
  for (const [root, type] of Object.entries(roots(document))) type.observeDeep(events => calls.push(events.map(event => described(root, event))))
  return calls
}

/** A document with its roots and a client id. */
export const newDocument = (client, gc) => {
  const document = new Y.Doc({ gc })
  document.clientID = client
  roots(document)
  return document
}

/** Runs one operation. */
export const edit = (document, operation) => operations[operation.o](find(document, operation.t), operation)

/** The shared type at the end of a path. */
export const find = (document, [root, ...path]) => path.reduce((type, step) => type.get(step), roots(document)[root])

const steps = {
  tx: ({ documents }, { c, ops, origin }) => {
    documents[c].transact(() => { for (const operation of ops) edit(documents[c], operation) }, origin)
  },
  undo: ({ managers }, { c }) => { managers[c].undo() },
  redo: ({ managers }, { c }) => { managers[c].redo() },
  sync: ({ documents }, { from, to }) => {
    const difference = Y.encodeStateAsUpdate(documents[from], Y.encodeStateVector(documents[to]))
    Y.applyUpdate(documents[to], difference, 'sync')
    return difference
  },
  relpos: ({ documents }, { c, t, i, assoc }) =>
    Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(find(documents[c], t), i, assoc)),
  snapshot: ({ documents }, { c }) => Y.encodeSnapshot(Y.snapshot(documents[c]))
}

const operations = {
  insert: (text, { i, s, a }) => text.insert(i, s, untagged(a)),
  delete: (list, { i, n }) => list.delete(i, n),
  format: (text, { i, n, a }) => text.format(i, n, untagged(a)),
  embed: (text, { i, e, a }) => text.insertEmbed(i, untagged(e), untagged(a)),
  etype: (text, { i, a, ...type }) => text.insertEmbed(i, newType(type), untagged(a)),
  delta: (text, { d }) => text.applyDelta(untagged(d)),
  ainsert: (array, { i, v }) => array.insert(i, untagged(v)),
  atype: (list, { i, ...type }) => list.insert(i, [newType(type)]),
  adoc: (array, { i, guid, opts }) => array.insert(i, [new Y.Doc({ guid, ...untagged(opts) })]),
  set: (map, { k, v }) => map.set(k, untagged(v)),
  unset: (map, { k }) => map.delete(k),
  clear: map => map.clear(),
  mtype: (map, { k, ...type }) => map.set(k, newType(type)),
  mdoc: (map, { k, guid, opts }) => map.set(k, new Y.Doc({ guid, ...untagged(opts) })),
  attr: (node, { k, v }) => node.setAttribute(k, untagged(v)),
  unattr: (node, { k }) => node.removeAttribute(k)
}

const newType = ({ ty, s, v, kv, name }) => {
  switch (ty) {
    case 'text': return new Y.Text(s)
    case 'xmltext': return new Y.XmlText(s)
    case 'xmlelement': return new Y.XmlElement(name)
    case 'xmlfragment': return new Y.XmlFragment()
    case 'array': return v ? Y.Array.from(untagged(v)) : new Y.Array()
    case 'map': return new Y.Map(kv && Object.entries(untagged(kv)))
    default: throw new Error('No type is called ' + ty)
  }
}
