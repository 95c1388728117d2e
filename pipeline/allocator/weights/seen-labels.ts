/**
 * What was labelled already, as hashes of 64 bits: 8 bytes each in the order they came, and an open-addressed index over them. Of a million labels two
 * collide with a probability of 3e-8; the second would not count.
 */
import { createHash } from 'node:crypto'

const firstCapacity = 1_024

export class SeenLabels {
  #size = 0
  /** Halves of the hashes, in the order they came. */
  #halves = new Uint32Array(2 * firstCapacity)
  /** Place of a hash plus 1; 0 for none. Twice as many places as hashes: a search is short. */
  #index = new Uint32Array(2 * firstCapacity)

  get size(): number {
    return this.#size
  }

  /** False when it was there. */
  add(parts: readonly (string | number)[]): boolean {
    const digest = createHash('sha256').update(JSON.stringify(parts)).digest()
    return this.#insert(digest.readUInt32LE(0), digest.readUInt32LE(4))
  }

  encode(): string {
    const bytes = Buffer.alloc(8 * this.#size)
    for (let i = 0; i < 2 * this.#size; i++) bytes.writeUInt32LE(this.#halves[i] ?? 0, 4 * i)
    return bytes.toString('base64')
  }

  /** Undefined when `text` is not what `encode` writes. */
  static decode(text: string): SeenLabels | undefined {
    const bytes = Buffer.from(text, 'base64')
    if (bytes.length % 8 !== 0 || bytes.toString('base64') !== text) return undefined
    const seen = new SeenLabels()
    seen.#reserve(bytes.length / 8)
    for (let at = 0; at < bytes.length; at += 8)
      if (!seen.#insert(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4))) return undefined
    return seen
  }

  #insert(low: number, high: number): boolean {
    if (2 * this.#size === this.#halves.length) this.#reserve(2 * this.#size)
    const place = this.#find(low, high)
    if (this.#index[place] !== 0) return false
    this.#halves[2 * this.#size] = low
    this.#halves[2 * this.#size + 1] = high
    this.#size += 1
    this.#index[place] = this.#size
    return true
  }

  /** Where it stands in the index, or would. */
  #find(low: number, high: number): number {
    const mask = this.#index.length - 1
    let place = low & mask
    while (true) {
      const entry = this.#index[place] ?? 0
      if (entry === 0) return place
      if (this.#halves[2 * entry - 2] === low && this.#halves[2 * entry - 1] === high) return place
      place = (place + 1) & mask
    }
  }

  #reserve(count: number): void {
    let capacity = this.#halves.length / 2
    while (capacity < count) capacity *= 2
    const halves = new Uint32Array(2 * capacity)
    halves.set(this.#halves)
    this.#halves = halves
    this.#index = new Uint32Array(2 * capacity)
    for (let i = 0; i < this.#size; i++)
      this.#index[this.#find(halves[2 * i] ?? 0, halves[2 * i + 1] ?? 0)] = i + 1
  }
}
