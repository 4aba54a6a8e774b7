// Random edits in the operation language of the vectors, that fit a document as it is.
import * as Y from 'yjs'
import { roots } from './dump.mjs'

const plainWords = ['a', 'bc', 'the ', 'quick', '\n', 'é', 'Ω', '漢字', 'ÿ\t"<&>\'', 'العربية', '']
const astralWords = [...plainWords, '😀', '👩‍👩‍👧', 'x😀y', '𠮷𝒳', '🇩🇪']
const mapKeys = ['a', 'b', 'title', '1', '', 'ключ', 'constructor']
const attributeNames = ['id', 'class', 'href']
const elementNames = ['p', 'div', 'h1', 'CODE']

/**
 * Makes random edits: `roots` are those to edit, `astral` says whether texts have surrogate pairs, `subDocs`, `json` and
 * `plainEmbeds` what values there are.
 */
export class Edits {
  constructor (random, { roots, astral, subDocs, json, plainEmbeds }) {
    this.random = random
    this.roots = roots
    this.words = astral ? astralWords : plainWords
    this.subDocs = subDocs
    this.plainEmbeds = plainEmbeds || json
    // What every implementation shows alike: values of JSON, and names without a meaning to JavaScript.
    this.json = json
    this.keys = json ? mapKeys : [...mapKeys, '__proto__']
  }

  /** An edit of a random type in the document. */
  next (document) {
    const root = this.random.pick(this.roots)
    return this.within(roots(document)[root], [root])
  }

  within (type, path) {
    const { random } = this
    const inner = random.chance(0.55) && path.length < 7 ? random.pick([...types(type)]) : undefined
    if (inner !== undefined) return this.within(inner[1], [...path, inner[0]])
    if (type instanceof Y.Text) return this.ofText(type, path)
    if (type instanceof Y.Array) return this.ofList(type.length, path, () => this.intoArray(type.length, path))
    if (type instanceof Y.Map) return this.ofMap(path)
    if (type instanceof Y.XmlElement && random.chance(0.35)) return this.ofAttributes(path)
    return this.ofList(type.length, path, () => ({ o: 'atype', t: path, i: random.below(type.length + 1), ...this.xmlType() }))
  }

  ofText (text, t) {
    const { random } = this
    const rich = t[0] !== 'text'
    const length = text.length
    // Typing goes on where it was, or starts somewhere.
    const i = random.chance(0.4) ? length : random.below(length + 1)
    if (rich && text instanceof Y.XmlText && random.chance(0.1)) return this.ofAttributes(t)
    if (length > 0 && random.chance(0.3)) return { o: 'delete', t, i: random.below(length), n: random.below(random.chance(0.2) ? length + 3 : 6) }
    if (!rich || random.chance(0.35)) return { o: 'insert', t, i, s: this.wording() }
    switch (random.below(5)) {
      case 0: return { o: 'insert', t, i, s: this.wording(), a: this.attributes() }
      case 1: case 2: return { o: 'format', t, i: random.below(length + 1), n: random.below(random.chance(0.1) ? length + 3 : 8), a: this.attributes() }
      case 3: return this.embed(text, t, i)
      default: return { o: 'delta', t, d: this.delta(length) }
    }
  }

  embed (text, t, i) {
    const { random } = this
    const attributes = random.chance(0.4) ? { a: this.attributes() } : {}
    // The XML text of a document shows what is embedded as JavaScript does, which is no use for types.
    if (!(text instanceof Y.XmlText) && !this.plainEmbeds && random.chance(0.3)) return { o: 'etype', t, i, ...this.type(), ...attributes }
    return { o: 'embed', t, i, e: random.pick([{ image: 'a.png', size: random.below(100) }, { m: { h: [1, 'é', null], w: 0.5 } }, {}]), ...attributes }
  }

  delta (length) {
    const { random } = this
    const operations = []
    // Past the end there is something to retain, and nothing to delete, on which yjs fails in an empty text.
    let left = length + (length > 0 && random.chance(0.1) ? 2 : 0)
    for (let count = 1 + random.below(4); count > 0; count--) {
      const attributes = random.chance(0.5) ? { attributes: this.attributes() } : {}
      const n = 1 + random.below(Math.max(1, Math.min(left, 6)))
      if (random.chance(0.4) || left < n) {
        operations.push({ insert: random.chance(0.8) ? this.wording() || 'x' : { hr: true }, ...attributes })
      } else {
        operations.push(random.chance(0.7) ? { retain: n, ...attributes } : { delete: n })
        left -= n
      }
    }
    return operations
  }

  attributes () {
    const { random } = this
    const some = {}
    for (let count = random.chance(0.1) ? 0 : 1 + random.below(2); count > 0; count--) {
      const key = random.pick(['bold', 'italic', 'color', 'link'])
      some[key] = random.pick({
        bold: [true, true, null], italic: [true, null], color: ['red', 'blue', null, 3], link: [{ href: 'u' }, { href: 'v"\\é' }, null]
      }[key])
    }
    return some
  }

  ofList (length, t, insert) {
    const { random } = this
    if (length === 0 || random.chance(0.65)) return insert()
    const i = random.below(length)
    return { o: 'delete', t, i, n: Math.min(length - i, random.below(random.chance(0.1) ? length + 1 : 4)) }
  }

  intoArray (length, t) {
    const { random } = this
    const i = random.chance(0.4) ? length : random.below(length + 1)
    if (this.subDocs && random.chance(0.3)) return { o: 'adoc', t, i, ...this.subDoc() }
    if (random.chance(0.25)) return { o: 'atype', t, i, ...this.type() }
    // yjs takes no undefined and no bigint as values of an array by themselves.
    return { o: 'ainsert', t, i, v: Array.from({ length: 1 + random.below(4) }, () => this.value(2, false)) }
  }

  ofMap (t) {
    const { random } = this
    const k = random.pick(this.keys)
    if (this.subDocs && random.chance(0.4)) return { o: 'mdoc', t, k, ...this.subDoc() }
    if (random.chance(0.2)) return random.chance(0.1) ? { o: 'clear', t } : { o: 'unset', t, k }
    if (random.chance(0.25)) return { o: 'mtype', t, k, ...this.type() }
    return { o: 'set', t, k, v: this.value(2, true) }
  }

  ofAttributes (t) {
    const k = this.random.pick(attributeNames)
    return this.random.chance(0.3) ? { o: 'unattr', t, k } : { o: 'attr', t, k, v: this.wording() }
  }

  type () {
    const { random } = this
    switch (random.below(this.json ? 3 : 5)) {
      case 0: return random.chance(0.5) ? { ty: 'text' } : { ty: 'text', s: this.wording() }
      case 1: return random.chance(0.5) ? { ty: 'array' } : { ty: 'array', v: [this.value(1, false), this.value(1, false)] }
      case 2: return random.chance(0.5) ? { ty: 'map' } : { ty: 'map', kv: { q: this.value(1, true), z: this.value(1, true) } }
      case 3: return { ty: 'xmlfragment' }
      default: return this.xmlType()
    }
  }

  xmlType () {
    const { random } = this
    if (random.chance(0.55)) return { ty: 'xmlelement', name: random.pick(elementNames) }
    return random.chance(0.5) ? { ty: 'xmltext' } : { ty: 'xmltext', s: this.wording() }
  }

  subDoc () {
    const { random } = this
    return {
      guid: 'guid-' + random.below(100),
      opts: random.pick([{}, { autoLoad: true }, { gc: false }, { meta: { a: 1, b: [null, 'é'] } }, { autoLoad: true, gc: false, meta: 'm' }])
    }
  }

  value (depth, inMapOrNested) {
    const { random } = this
    const nested = () => this.value(depth - 1, true)
    const kinds = [
      () => random.below(200) - 100, () => random.pick([0, 63, 64, -63, -64, 8191, 2147483647, -2147483647]),
      () => random.pick([0.5, 3.5, -1.5e300, 0.1]), () => true, () => false, () => null, () => this.wording(), () => this.wording()
    ]
    if (depth > 0) kinds.push(() => [nested(), nested()], () => ({ [this.wording()]: nested(), 10: nested(), y: nested() }), () => [], () => ({}))
    if (!this.json) {
      kinds.push(
        () => random.pick([2147483648, -2147483648, 9007199254740991, 1e10]),
        () => ({ $: 'bytes', v: Buffer.from([random.below(256), 1, 255].slice(0, 1 + random.below(3))).toString('base64') }),
        () => ({ $: 'number', v: random.pick(['NaN', 'Infinity', '-Infinity', '-0']) }))
      if (inMapOrNested) kinds.push(() => ({ $: 'undefined' }), () => ({ $: 'bigint', v: random.pick(['5', '-9223372036854775808', '9223372036854775807']) }))
    }
    return random.pick(kinds)()
  }

  wording () {
    return this.random.pick(this.words) + (this.random.chance(0.4) ? this.random.pick(this.words) : '')
  }
}

// The types within a type that are reached by a key or an index.
function * types (type) {
  if (type instanceof Y.Text) return
  const entries = type instanceof Y.Map ? [...type.entries()] : type.toArray().entries()
  for (const [key, value] of entries) if (value instanceof Y.AbstractType) yield [key, value]
}
