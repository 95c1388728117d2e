/** The newest entries of the stream, in a bounded ring with the cursor where it begins. */
import type { Cursor } from '../../infra/store/tail.ts'

/** One stored offset. `json` is what readers get of it; null where there is nothing to show (a gap, a dead post). */
export interface Entry {
  readonly partition: number
  readonly offset: number
  readonly json: string | null
}

/** Positions in the ring are sequence numbers that only grow: a reader far behind notices that its place is gone. */
export class Ring {
  readonly #capacity: number
  #entries: Entry[] = []
  #start: Record<number, number> = {}
  #firstSequence = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get firstSequence(): number {
    return this.#firstSequence
  }

  get nextSequence(): number {
    return this.#firstSequence + this.#entries.length
  }

  /** Empties the ring; what is pushed next follows `cursor`. Every reader has to find its place anew. */
  restart(cursor: Cursor): void {
    this.#firstSequence = this.nextSequence + 1
    this.#entries = []
    this.#start = { ...cursor }
  }

  push(entries: readonly Entry[]): void {
    this.#entries.push(...entries)
    const dropped = this.#entries.splice(0, Math.max(0, this.#entries.length - this.#capacity))
    for (const { partition, offset } of dropped) this.#start[partition] = offset + 1
    this.#firstSequence += dropped.length
  }

  /** Whether the ring holds everything from `cursor` on. */
  covers(cursor: Cursor): boolean {
    return Object.entries(this.#start).every(
      ([partition, offset]) => (cursor[Number(partition)] ?? 0) >= offset,
    )
  }

  from(sequence: number, limit: number): readonly Entry[] {
    const index = sequence - this.#firstSequence
    return this.#entries.slice(index, index + limit)
  }
}
