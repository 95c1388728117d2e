/** The log of a life, with the faults that strike on the way from and to it. Offsets of control records hold nothing for a reader. */
import {
  type ConsumeOptions,
  type Consumer,
  type Log,
  type LogBatch,
  topics,
} from '../../../infra/log/log.ts'
import type { Breakage } from '../breakage.ts'
import { controlValue } from '../posts.ts'
import type { Tripwires } from './tripwires.ts'

export interface FaultyLogDeps {
  readonly log: Log
  readonly wires: Tripwires
  readonly batchRecords: number
  readonly breakage: Breakage | undefined
  onCommitted(partition: number, next: number): void
}

export function faultyLog({ log, wires, batchRecords, breakage, onCommitted }: FaultyLogDeps): Log {
  return {
    ensureTopics: (specs) => wires.during(() => log.ensureTopics(specs)),
    partitions: (topic) => wires.during(() => log.partitions(topic)),
    beginningOffsets: (topic) => wires.during(() => log.beginningOffsets(topic)),
    endOffsets: (topic) => wires.during(() => log.endOffsets(topic)),
    offsetsAt: (topic, time) => wires.during(() => log.offsetsAt(topic, time)),
    committed: (group, topic) => wires.during(() => log.committed(group, topic)),
    close: () => log.close(),
    follow: (topic, from, onBatch) => log.follow(topic, from, (batch) => onBatch(visible(batch))),
    append: (topic, records) =>
      wires.during(async () => {
        if (topic !== topics.dead) return log.append(topic, records)
        if (breakage === 'no-letters') return []
        const positions = await log.append(topic, records)
        await wires.reach('buried')
        return positions
      }),
    consume: (options, onBatch) => consume(options, onBatch),
  }

  async function consume(
    options: ConsumeOptions,
    onBatch: (batch: LogBatch) => Promise<void>,
  ): Promise<Consumer> {
    const again = new Set<number>()
    const consumer = await log.consume(
      {
        ...options,
        maxBatchRecords: Math.min(batchRecords, options.maxBatchRecords ?? batchRecords),
        startAt: (topic, partition) => wires.during(() => startAt(topic, partition)),
      },
      async (batch) => {
        if (breakage === 'commit-first')
          await consumer.commit(batch.topic, batch.partition, batch.next)
        await onBatch(visible(batch, breakage === 'commit-first' ? 0 : undefined))
        if (again.delete(batch.partition)) await onBatch(visible(batch))
      },
    )

    async function startAt(topic: string, partition: number): Promise<number> {
      const faults = await wires.reach('assigned')
      const rewind = faults.find(({ action }) => action === 'rewind')?.amount ?? 0
      const mark = await options.startAt(topic, partition)
      if (breakage !== 'commit-first') return Math.max(0, mark - rewind)
      const committed = await log.committed(options.group, topic)
      return Math.max(0, committed[partition] ?? 0)
    }

    return {
      pause: (topic, partition) => consumer.pause(topic, partition),
      resume: (topic, partition) => consumer.resume(topic, partition),
      progress: () => consumer.progress(),
      stop: () => consumer.stop(),
      commit: (topic, partition, next) =>
        wires.during(async () => {
          await wires.reach('committing')
          await consumer.commit(topic, partition, next)
          const faults = await wires.reach('committed')
          if (faults.some(({ action }) => action === 'redeliver')) again.add(partition)
          onCommitted(partition, next)
        }),
    }
  }
}

/** `from` is the batch's own unless somebody lies about it. */
function visible(batch: LogBatch, from = batch.from): LogBatch {
  const records = batch.records.filter(({ value }) => value.toString() !== controlValue)
  return {
    topic: batch.topic,
    partition: batch.partition,
    from,
    next: batch.next,
    records,
    isCurrent: () => batch.isCurrent(),
  }
}
