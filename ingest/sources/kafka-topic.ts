/**
 * The source `kafka-topic`: a topic of foreign shape on brokers of its own, read in a group. An offset is committed when its posts are
 * durable in our log: a crash between the two repeats them under the same ids.
 */

import type { Clock } from '../../infra/clock.ts'
import type { KafkaTopicSource } from '../../infra/config-sources.ts'
import type { Log, LogBatch, LogRecord } from '../../infra/log/log.ts'
import { unlessAborted } from '../../infra/unless-aborted.ts'
import { decodeJson } from '../contract.ts'
import type { Row } from './delivery.ts'
import { postOf } from './item.ts'
import { labelOf } from './label.ts'
import { mapItem } from './mapping.ts'
import { rowOf } from './sift.ts'
import type { RunContext, Source } from './source.ts'
import type { ReadingTime } from './timing.ts'

/** The part of the log port that reads somebody else's topics. */
export type ForeignLog = Pick<
  Log,
  'consume' | 'follow' | 'committed' | 'beginningOffsets' | 'endOffsets' | 'close'
>

const minuteMs = 60_000

export function createKafkaTopic(
  config: KafkaTopicSource,
  deps: {
    readonly clock: Clock
    openLog(brokers: readonly string[]): Promise<ForeignLog>
  },
): Source {
  const { clock, openLog } = deps
  const { topic, group, mapping, datesWithoutZone } = config
  const label = labelOf(config)

  function rowsOf({ partition, records }: Pick<LogBatch, 'partition' | 'records'>): Row[] {
    const nowMs = clock()
    return records.map((record) => {
      const place = `${topic}/${partition}/${record.offset}`
      return rowOf(label, place, record.value, readRecord(record, place, nowMs))
    })
  }

  function readRecord(record: LogRecord, place: string, nowMs: number): Row['read'] {
    const json = decodeJson(record.value)
    if (!json.ok) return json
    const options = { withoutZone: datesWithoutZone, fallbackId: place }
    const mapped = mapItem(mapping, json.value, options)
    if (!mapped.ok) return mapped
    return { ok: true, candidate: postOf(mapped.item, label, timeOf(record, nowMs), false) }
  }

  /** A record that waited in the topic is caught up with. */
  function timeOf(record: LogRecord, nowMs: number): ReadingTime {
    const freshMs = config.freshMinutes * minuteMs
    const catchingUp = nowMs - record.timestamp > freshMs
    return { nowMs, freshMs, catchingUp, undated: config.undated }
  }

  async function startAt(log: ForeignLog, partition: number): Promise<number> {
    const committed = (await log.committed(group, topic))[partition] ?? -1
    if (committed >= 0) return committed
    const offsets =
      config.from === 'beginning' ? log.beginningOffsets(topic) : log.endOffsets(topic)
    return (await offsets)[partition] ?? 0
  }

  async function run(context: RunContext): Promise<void> {
    const { delivery, signal, onReading } = context
    const log = await openLog(config.brokers)
    try {
      let stopped: (error: unknown) => void = () => {}
      const failure = new Promise<never>((_resolve, reject) => {
        stopped = reject
      })
      failure.catch(() => undefined) // It may come when nobody waits any more.
      const consumer = await log.consume(
        {
          topics: [topic],
          group,
          startAt: (_topic, partition) => startAt(log, partition),
          onStopped: (_topic, _partition, error) => stopped(error),
        },
        async (batch) => {
          const { accepted, refused } = await delivery.deliver(rowsOf(batch), signal)
          if (!batch.isCurrent()) return
          await consumer.commit(topic, batch.partition, batch.next)
          onReading({ fresh: accepted, corrected: 0, repeated: 0, refused })
          await context.save({ lastSuccessMs: clock() })
        },
      )
      try {
        onReading({ fresh: 0, corrected: 0, repeated: 0, refused: 0 })
        await untilAborted(failure, signal)
      } finally {
        await consumer.stop()
      }
    } finally {
      await log.close()
    }
  }

  /** The last records of every partition. */
  async function preview(
    { delivery, signal, onReading }: RunContext,
    limit: number,
  ): Promise<void> {
    const log = await openLog(config.brokers)
    try {
      const begins = await log.beginningOffsets(topic)
      const ends = await log.endOffsets(topic)
      const from = ends.map((end, partition) => Math.max(begins[partition] ?? 0, end - limit))
      const reached = [...from]
      const isDone = () => ends.every((end, partition) => (reached[partition] ?? 0) >= end)
      let finish: () => void = () => {}
      const finished = new Promise<void>((resolve) => {
        finish = resolve
      })
      if (isDone()) finish()
      const follower = await log.follow(topic, from, async (batch) => {
        const { accepted, refused } = await delivery.deliver(rowsOf(batch), signal)
        onReading({ fresh: accepted, corrected: 0, repeated: 0, refused })
        reached[batch.partition] = batch.next
        if (isDone()) finish()
      })
      try {
        await unlessAborted(finished, signal)
      } finally {
        await follower.stop()
      }
    } finally {
      await log.close()
    }
  }

  return { schedule: undefined, run, preview }
}

/** Resolves when the signal is aborted; rejects with what comes first. */
async function untilAborted(failure: Promise<never>, signal: AbortSignal): Promise<void> {
  await unlessAborted(failure, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}
