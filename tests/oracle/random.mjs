// A small seeded generator (mulberry32), so that a failing case can be run again from its seed.

export class Random {
  constructor (seed) {
    this.state = seed >>> 0
  }

  /** A fraction from 0 up to 1. */
  next () {
    this.state = (this.state + 0x6D2B79F5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** An integer from 0 to max - 1. */
  below (max) {
    return Math.floor(this.next() * max)
  }

  chance (probability) {
    return this.next() < probability
  }

  pick (list) {
    return list[this.below(list.length)]
  }
}
