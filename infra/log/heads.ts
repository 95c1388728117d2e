/** The heads of all partitions in memory: what is durable for readers, and what the transaction under way makes of it. */
import type { Head, Storage } from './storage.ts'

const emptyHead: Head = { begin: 0, end: 0, bytes: 0, lastTimestamp: 0 }

export class Heads {
  readonly #storage: Storage
  readonly #durable = new Map<string, Head>()
  readonly #draft = new Map<string, Head>()

  constructor(storage: Storage) {
    this.#storage = storage
    for (const { key, value } of storage.heads.all()) this.#durable.set(key.join('/'), value)
  }

  durable(topicId: number, partition: number): Head {
    return this.#durable.get(`${topicId}/${partition}`) ?? emptyHead
  }

  /** Inside a transaction: with its own changes so far. */
  current(topicId: number, partition: number): Head {
    return this.#draft.get(`${topicId}/${partition}`) ?? this.durable(topicId, partition)
  }

  change(topicId: number, partition: number, head: Head): void {
    this.#draft.set(`${topicId}/${partition}`, head)
  }

  /** A transaction starts; what a failed one left is forgotten. */
  begin(): void {
    this.#draft.clear()
  }

  /** Last act inside the transaction: the heads become durable with their records. */
  end(): void {
    for (const [key, head] of this.#draft) this.#storage.heads.put(key.split('/').map(Number), head)
  }

  committed(): void {
    for (const [key, head] of this.#draft) this.#durable.set(key, head)
    this.#draft.clear()
  }
}
