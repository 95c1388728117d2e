/** What every test of the log port stands on: a connection, fresh names, and waiting for records. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumeOptions, Consumer, Log, LogBatch, LogRecord, NewRecord } from './log.ts'

export const numbered = (count: number, from = 0): NewRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${from + i}`, value: `v${from + i}` }))

export const text = (record: LogRecord): string => record.value.toString()

export class LogFixture {
  readonly #open: () => Promise<Log>
  #log: Log | undefined
  topic = ''
  group = ''

  constructor(open: () => Promise<Log>) {
    this.#open = open
  }

  get log(): Log {
    if (this.#log === undefined) throw new Error('the fixture has not started')
    return this.#log
  }

  async start(): Promise<void> {
    this.#log = await this.#open()
    this.topic = `suite-${randomUUID()}`
    this.group = `group-${randomUUID()}`
  }

  async reopen(): Promise<void> {
    await this.log.close()
    this.#log = await this.#open()
  }

  create(partitions: number): Promise<void> {
    return this.log.ensureTopics([{ name: this.topic, partitions }])
  }

  /** All records by partition, as soon as there are `count`. */
  async readAll(count: number): Promise<LogRecord[][]> {
    const inbox = new Inbox()
    const partitions = await this.log.partitions(this.topic)
    const follower = await this.log.follow(this.topic, Array(partitions).fill(0), inbox.take)
    await inbox.until(() => inbox.count >= count)
    await follower.stop()
    return Array.from({ length: partitions }, (_, p) => inbox.records(p))
  }

  consume(
    onBatch: (batch: LogBatch) => Promise<void>,
    more: Partial<ConsumeOptions> = {},
  ): Promise<Consumer> {
    const { topic, group } = this
    return this.log.consume({ topics: [topic], group, startAt: async () => 0, ...more }, onBatch)
  }
}

export class Inbox {
  readonly batches: LogBatch[] = []
  readonly #waiting = new Set<() => void>()

  /** The handler to give to `consume` and `follow`. */
  readonly take = async (batch: LogBatch): Promise<void> => {
    this.batches.push(batch)
    for (const check of [...this.#waiting]) check()
  }

  get count(): number {
    return this.batches.reduce((sum, batch) => sum + batch.records.length, 0)
  }

  all(): LogRecord[] {
    return this.batches.flatMap((batch) => batch.records)
  }

  of(partition: number): LogBatch[] {
    return this.batches.filter((batch) => batch.partition === partition)
  }

  records(partition: number): LogRecord[] {
    return this.of(partition).flatMap((batch) => batch.records)
  }

  /** Resolves as soon as `condition` holds; it is asked again at every batch. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

export function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((r) => {
    resolve = r
  })
  return { promise, resolve }
}

/** Resolves as soon as `condition` holds: for what no event tells. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20)
}
