// Another implementation of the format, yrs compiled to WebAssembly, as a third judge. It has its limits: client ids of 32 bits,
// no split surrogate pairs (engine.md, 1.2), and XML is written in its own way.
import { applyUpdate, YDoc } from 'ywasm'

/** What yrs reads of the updates, applied in order. */
export const inYrs = updates => {
  const document = new YDoc()
  for (const update of updates) applyUpdate(document, update)
  const seen = {
    text: document.getText('text').toString(),
    rich: document.getText('rich').toString(),
    arr: JSON.stringify(sorted(document.getArray('arr').toJson())),
    map: JSON.stringify(sorted(document.getMap('map').toJson()))
  }
  document.free()
  return seen
}

const sorted = value => {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]))
}
