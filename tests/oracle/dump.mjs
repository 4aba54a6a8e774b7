// What a user sees of a document, as plain values: the same for two documents exactly when their content is. It is the dump
// of the vectors (tests/Collab.Crdt.Tests/vectors/FORMAT.md): keys sorted, and tags for what JSON lacks.
import * as Y from 'yjs'

/** Every root that the sessions use, in the order in which replicas make them. */
export const dump = document => {
  const { text, rich, arr, map, xml } = roots(document)
  return {
    text: text.toString(),
    rich: delta(rich.toDelta()),
    arr: arr.toArray().map(content),
    map: members(map.entries()),
    xml: xml.toArray().map(content),
    xmlString: xml.toString()
  }
}

/** The roots of a document, which are made when they are missing. */
export const roots = document => ({
  text: document.getText('text'),
  rich: document.getText('rich'),
  arr: document.getArray('arr'),
  map: document.getMap('map'),
  xml: document.getXmlFragment('xml')
})

/** A value as it may stand in a document. */
export const content = value => {
  if (value instanceof Y.AbstractType) return { $: 'type', ...type(value) }
  if (value instanceof Y.Doc) {
    const { guid, autoLoad, gc, meta } = value
    return { $: 'doc', guid, opts: { autoLoad, gc, meta: content(meta) } }
  }
  return plain(value)
}

/** The operations of a delta: of a text, of an array, or of a change. */
export const delta = operations => operations.map(({ retain, delete: deleted, insert, attributes }) => {
  const operation = {}
  if (attributes !== undefined) operation.attributes = plain(attributes)
  if (deleted !== undefined) operation.delete = deleted
  if (insert !== undefined) operation.insert = Array.isArray(insert) ? insert.map(content) : content(insert)
  if (retain !== undefined) operation.retain = retain
  return operation
})

/** An event as the vectors tell it. */
export const described = (root, { path, delta: operations, keys }) => ({
  root,
  path,
  delta: delta(operations),
  keys: Object.fromEntries([...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { action, oldValue }]) => [key, { action, old: old(oldValue) }]))
})

// What a deleted type held is not told.
const old = value => value instanceof Y.AbstractType ? { $: 'type' } : content(value)

/** The JSON value that a tagged value stands for, back as a value of yjs. */
export const untagged = value => {
  if (Array.isArray(value)) return value.map(untagged)
  if (value === null || typeof value !== 'object') return value
  switch (value.$) {
    case 'undefined': return undefined
    case 'bigint': return BigInt(value.v)
    case 'number': return Number(value.v)
    case 'bytes': return new Uint8Array(Buffer.from(value.v, 'base64'))
    default: return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, untagged(member)]))
  }
}

/** A plain value with tags for what JSON lacks. */
export const plain = value => {
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'bigint') return { $: 'bigint', v: String(value) }
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $: 'number', v: Object.is(value, -0) ? '-0' : String(value) }
  }
  if (value instanceof Uint8Array) return { $: 'bytes', v: Buffer.from(value).toString('base64') }
  if (Array.isArray(value)) return value.map(plain)
  return value !== null && typeof value === 'object' ? members(Object.entries(value)) : value
}

const type = value => {
  if (value instanceof Y.XmlElement) {
    return { v: 'xmlelement', c: { name: value.nodeName, attrs: members(Object.entries(value.getAttributes())), children: value.toArray().map(content) } }
  }
  if (value instanceof Y.XmlText) {
    return { v: 'xmltext', c: { delta: delta(value.toDelta()), attrs: members(Object.entries(value.getAttributes())) } }
  }
  if (value instanceof Y.XmlFragment) return { v: 'xmlfragment', c: value.toArray().map(content) }
  // JSON.stringify leaves the length of an empty text out.
  if (value instanceof Y.Text) return { v: 'text', c: { delta: delta(value.toDelta()), len: value.length || undefined } }
  if (value instanceof Y.Array) return { v: 'array', c: value.toArray().map(content) }
  return { v: 'map', c: members(value.entries()) }
}

const members = entries =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, content(value)]))
