/** Texts that ended their workers, so that a copy of one does not cost as many workers again. Holds hashes of the latest of them. */
import { createHash } from 'node:crypto'
import type { TextToRead } from './protocol.ts'

const most = 1_000

export class LethalTexts {
  readonly #hashes = new Set<string>()
  #count = 0

  /** How many were ever added. */
  get count(): number {
    return this.#count
  }

  add(text: TextToRead): void {
    this.#count++
    this.#hashes.add(hashOf(text))
    const [oldest] = this.#hashes
    if (this.#hashes.size > most && oldest !== undefined) this.#hashes.delete(oldest)
  }

  has(text: TextToRead): boolean {
    return this.#hashes.size > 0 && this.#hashes.has(hashOf(text))
  }
}

function hashOf({ title, text }: TextToRead): string {
  return createHash('sha256')
    .update(JSON.stringify([title, text]))
    .digest('base64')
}
