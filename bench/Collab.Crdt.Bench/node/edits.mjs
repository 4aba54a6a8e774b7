// What the workloads do to texts and arrays, as lists of edits made from a seed. Edits.cs makes the same lists: every draw
// from the generator comes in the same order there.
import { Random } from '../../../tests/oracle/random.mjs'

export const count = 6000

/** Letters from the generator. */
export const letters = (random, length) => {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(97 + random.below(26))
  return text
}

const word = random => letters(random, 3 + random.below(7))
const number = random => random.below(2147483648)
const insert = (position, inserted) => ({ position, removed: 0, inserted })
const remove = (position, removed) => ({ position, removed, inserted: '' })

// Each makes `count` edits of a sequence that has `length` units already.
const makers = {
  appendLetters: (random, length) => repeat(i => insert(length + i, letters(random, 1))),
  insertString: random => [insert(0, letters(random, count))],
  prependLetters: random => repeat(() => insert(0, letters(random, 1))),
  insertLetters: (random, length) => repeat(i => insert(random.below(length + i + 1), letters(random, 1))),
  insertWords: (random, length) => repeat(() => {
    const edit = insert(random.below(length + 1), word(random))
    length += edit.inserted.length
    return edit
  }),
  insertThenDelete: random => [insert(0, letters(random, count)), remove(0, count)],
  insertAndDelete: (random, length) => repeat(() => {
    if (length === 0 || random.below(2) === 0) {
      const edit = insert(random.below(length + 1), word(random))
      length += edit.inserted.length
      return edit
    }
    const position = random.below(length)
    const removed = Math.min(length - position, 1 + random.below(9))
    length -= removed
    return remove(position, removed)
  }),
  appendNumbers: random => repeat(i => insert(i, [number(random)])),
  insertNumberArray: random => [insert(0, repeat(() => number(random)))],
  prependNumbers: random => repeat(() => insert(0, [number(random)])),
  insertNumbers: random => repeat(i => insert(random.below(i + 1), [number(random)]))
}

const repeat = make => Array.from({ length: count }, (_, i) => make(i))

export const make = (name, seed, length = 0) => makers[name](new Random(seed), length)

/** The client ids of those who all change one thing at once. */
export const crowd = () => {
  const random = new Random(3)
  return Array.from({ length: Math.floor(20 * Math.sqrt(count)) }, () => 1 + random.below(2147483647))
}
