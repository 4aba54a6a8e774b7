// What a user sees of a document, as plain values: the same for two documents exactly when their content is.
import * as Y from 'yjs'

/** Every root that the sessions use, whatever its kind. */
export const dump = document => ({
  text: content(document.getText('text')),
  rich: content(document.getText('rich')),
  array: content(document.getArray('array')),
  map: content(document.getMap('map')),
  xml: content(document.getXmlFragment('xml'))
})

const sorted = object => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))

const content = value => {
  if (value instanceof Y.XmlElement) {
    return { element: value.nodeName, attributes: sorted(value.getAttributes()), children: value.toArray().map(content) }
  }
  if (value instanceof Y.XmlText || value instanceof Y.Text) {
    const delta = value.toDelta().map(({ insert, attributes }) => ({ insert: content(insert), attributes: sorted(attributes ?? {}) }))
    return { delta, attributes: sorted(value.getAttributes?.() ?? {}) }
  }
  if (value instanceof Y.XmlFragment) return { children: value.toArray().map(content) }
  if (value instanceof Y.Array) return { items: value.toArray().map(content) }
  if (value instanceof Y.Map) return { entries: sorted(Object.fromEntries([...value.entries()].map(([key, item]) => [key, content(item)]))) }
  if (value instanceof Y.Doc) return { guid: value.guid }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'bigint') return { bigint: String(value) }
  return value === undefined ? { undefined: true } : value
}
