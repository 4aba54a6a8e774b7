// The requests on positions, snapshots and users. Values that JSON lacks are not compared here: the documents they stand in are.
//   {op: "positions", updates, later}  -> {positions}: every position of every list, as [root, child (null for the root itself), index,
//                                         assoc, bytes, json, index after the later updates (null when there is none)]
//   {op: "resolve", state, positions}  -> {indexes}: where the positions (bytes) are in a document with that state
//   {op: "snapshots", updates, cuts}   -> {snapshots}: for each number of updates the snapshot {v1, v2}, the text "rich" then as a delta,
//                                         its changes since the snapshot before, once with the client as user, and the update of the
//                                         restored document
//   {op: "readSnapshot", state, snapshot, format} -> {delta, state}: text "rich" at a snapshot, and the update of the restored document
//   {op: "contains", snapshot, updates} -> {contained}: for each update whether the snapshot has it
//   {op: "readUsers", state, clients, deleted} -> {clients, deleted}: the users that PermanentUserData names
//   {op: "writeUsers", edits}          -> {state}: a document in which each {client, user, insert, delete} was a replica of its own
import * as Y from 'yjs'

const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const base64 = array => Buffer.from(array).toString('base64')

const documentOf = (updates, options) => {
  const document = new Y.Doc(options)
  for (const name of ['text', 'rich']) document.getText(name)
  document.getArray('arr')
  document.getMap('map')
  document.getXmlFragment('xml')
  for (const update of updates) Y.applyUpdate(document, bytes(update))
  return document
}

const lists = document => {
  const found = []
  for (const name of ['text', 'rich', 'arr', 'xml']) {
    const root = document.get(name)
    found.push([name, null, root])
    if (name === 'text' || name === 'rich') continue
    root.toArray().forEach((child, index) => { if (child instanceof Y.AbstractType) found.push([name, index, child]) })
  }
  return found
}

const withClient = (type, id) => ({ type, user: id.client })

export const positionOperations = {
  positions: ({ updates, later }) => {
    const document = documentOf(updates)
    const positions = []
    for (const [root, child, type] of lists(document)) {
      for (let index = 0; index <= (type.length ?? 0); index++) {
        for (const assoc of [0, -1]) {
          const position = Y.createRelativePositionFromTypeIndex(type, index, assoc)
          positions.push([root, child, index, assoc, base64(Y.encodeRelativePosition(position)), JSON.stringify(Y.relativePositionToJSON(position))])
        }
      }
    }
    for (const update of later) Y.applyUpdate(document, bytes(update))
    for (const position of positions) {
      position.push(Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes(position[4])), document)?.index ?? null)
    }
    return { positions }
  },
  resolve: ({ state, positions }) => {
    const document = documentOf([state])
    return { indexes: positions.map(position => Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(bytes(position)), document)?.index ?? null) }
  },
  snapshots: ({ updates, cuts }) => {
    const document = documentOf([], { gc: false })
    const snapshots = []
    updates.forEach((update, index) => {
      Y.applyUpdate(document, bytes(update))
      if (cuts.includes(index + 1)) snapshots.push(Y.snapshot(document))
    })
    const rich = document.getText('rich')
    return {
      snapshots: snapshots.map((snapshot, index) => ({
        v1: base64(Y.encodeSnapshot(snapshot)),
        v2: base64(Y.encodeSnapshotV2(snapshot)),
        delta: JSON.stringify(rich.toDelta(snapshot)),
        changes: JSON.stringify(rich.toDelta(snapshot, snapshots[index - 1] ?? Y.emptySnapshot)),
        changesOfUsers: JSON.stringify(rich.toDelta(snapshot, snapshots[index - 1] ?? Y.emptySnapshot, withClient)),
        restored: base64(Y.encodeStateAsUpdate(Y.createDocFromSnapshot(document, snapshot)))
      }))
    }
  },
  readSnapshot: ({ state, snapshot, format }) => {
    const document = documentOf([state], { gc: false })
    const decoded = format === 2 ? Y.decodeSnapshotV2(bytes(snapshot)) : Y.decodeSnapshot(bytes(snapshot))
    return {
      delta: JSON.stringify(document.getText('rich').toDelta(decoded)),
      state: base64(Y.encodeStateAsUpdate(Y.createDocFromSnapshot(document, decoded)))
    }
  },
  contains: ({ snapshot, updates }) => {
    const decoded = Y.decodeSnapshot(bytes(snapshot))
    return { contained: updates.map(update => Y.snapshotContainsUpdate(decoded, bytes(update))) }
  },
  readUsers: ({ state, clients, deleted }) => {
    const document = documentOf([state])
    const users = new Y.PermanentUserData(document)
    return {
      clients: clients.map(client => users.getUserByClientId(client)),
      deleted: deleted.map(([client, clock]) => users.getUserByDeletedId(Y.createID(client, clock)))
    }
  },
  writeUsers: async ({ edits }) => {
    let state = Y.encodeStateAsUpdate(new Y.Doc())
    for (const edit of edits) {
      const document = new Y.Doc()
      document.clientID = edit.client
      Y.applyUpdate(document, state)
      const users = new Y.PermanentUserData(document)
      users.setUserMapping(document, edit.client, edit.user)
      if (edit.insert) document.getText('text').insert(0, edit.insert)
      if (edit.delete) document.getText('text').delete(0, edit.delete)
      // It writes deletes down by a timer.
      await new Promise(resolve => setTimeout(resolve, 5))
      state = Y.encodeStateAsUpdate(document)
    }
    return { state: base64(state) }
  }
}
