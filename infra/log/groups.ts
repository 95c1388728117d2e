/** Consumer groups of the embedded log: who consumes for them in this process, and what they said of each partition. */
import { AppError } from '../errors.ts'
import type { Heads } from './heads.ts'
import type { Consumer } from './log.ts'
import type { Storage, TopicRow } from './storage.ts'

export interface GroupsDeps {
  readonly storage: Storage
  readonly heads: Heads
  /** Runs `work` inside a write transaction. */
  write(work: () => void): Promise<void>
}

export class Groups {
  readonly #deps: GroupsDeps
  /** The running consumer of each group and topic. */
  readonly #owners = new Map<string, Consumer>()

  constructor(deps: GroupsDeps) {
    this.#deps = deps
  }

  /** Throws `LOG` when another consumer of the group has one of the topics. */
  claim(group: string, topics: readonly string[], consumer: Consumer): void {
    const held = topics.find((topic) => this.#owners.has(`${group}/${topic}`))
    if (held !== undefined)
      throw new AppError('LOG', `Group ${group} already has a consumer of ${held}`)
    for (const topic of topics) this.#owners.set(`${group}/${topic}`, consumer)
  }

  release(group: string, topics: readonly string[], consumer: Consumer): void {
    for (const topic of topics)
      if (this.#owners.get(`${group}/${topic}`) === consumer)
        this.#owners.delete(`${group}/${topic}`)
  }

  /** A consumer starts at `from`: retention keeps what is there, even below an earlier commit. */
  async assign(topic: TopicRow, group: string, partition: number, from: number): Promise<void> {
    const { groups } = this.#deps.storage
    await this.#deps.write(() => {
      const committed = this.committed(topic, group, partition)
      groups.put([topic.id, group, partition], { committed, needs: from })
    })
  }

  /** Throws `LOG` for an offset the partition does not have, and for a consumer that another one has followed. */
  async commit(
    topic: TopicRow,
    group: string,
    partition: number,
    next: number,
    consumer: Consumer,
  ): Promise<void> {
    const owner = this.#owners.get(`${group}/${topic.name}`)
    if (owner !== undefined && owner !== consumer)
      throw new AppError('LOG', `Another consumer of ${group} has taken over ${topic.name}`)
    const { storage, heads, write } = this.#deps
    await write(() => {
      const { end } = heads.current(topic.id, partition)
      if (!(Number.isInteger(next) && next >= 0 && next <= end))
        throw new AppError(
          'LOG',
          `Group ${group} cannot commit ${next} of ${topic.name}/${partition}, which ends at ${end}`,
        )
      storage.groups.put([topic.id, group, partition], { committed: next, needs: next })
    })
  }

  /** -1 before the first commit. */
  committed(topic: TopicRow, group: string, partition: number): number {
    return this.#deps.storage.groups.get([topic.id, group, partition])?.committed ?? -1
  }
}
