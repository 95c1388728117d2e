/**
 * The streams in force: those of the config until a record of the topic `control` says otherwise. The last record counts, so every instance that
 * follows the topic uses the same ones, also after a restart; a record holds all of them.
 */
import Type from 'typebox'
import { Value } from 'typebox/value'
import { AppError, describeError } from '../../infra/errors.ts'
import { type Follower, type Log, type LogRecord, topics } from '../../infra/log/log.ts'
import type { Logger } from '../../infra/logger.ts'
import { fusionMethods, strategies } from '../contract.ts'
import type { StreamAllocator, StreamSettings } from './streams.ts'

export const StreamsRecord = Type.Object({
  type: Type.Literal('allocation.streams'),
  strategy: Type.Enum(strategies),
  fusion: Type.Enum(fusionMethods),
  streams: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 100 }),
})
export type StreamsRecord = Type.Static<typeof StreamsRecord>

export interface StreamControl {
  /** Resolves when all records that the topic holds are folded. */
  start(): Promise<void>
  /** Appends them, and resolves when they are in force here. What the allocator refuses (CONFIG) is not appended. */
  change(settings: StreamSettings): Promise<void>
  /** Offset of the last record in force; -1 for the config's. */
  readonly offset: number
  /** Idempotent. */
  stop(): Promise<void>
}

export function createStreamControl({
  log,
  logger,
  allocator,
}: {
  readonly log: Pick<Log, 'append' | 'follow' | 'endOffsets'>
  readonly logger: Logger
  readonly allocator: StreamAllocator
}): StreamControl {
  let offset = -1
  let next = 0
  let isStopped = false
  let follower: Promise<Follower> | undefined
  const waiting = new Set<() => void>()

  function fold(record: LogRecord): void {
    const settings = parseStreamsRecord(record.value)
    if (settings === undefined) return
    try {
      allocator.use(settings)
      offset = record.offset
      logger.info({ offset, ...settings }, 'streams are in force')
    } catch (error) {
      logger.error(
        { offset: record.offset, error: describeError(error) },
        'streams of another instance cannot be had here: the ones before stay in force',
      )
    }
  }

  async function reached(end: number): Promise<void> {
    while (next < end && !isStopped) await new Promise<void>((resolve) => waiting.add(resolve))
  }

  function wake(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  return {
    async start() {
      const [end = 0] = await log.endOffsets(topics.control)
      follower ??= log.follow(topics.control, [0], async (batch) => {
        for (const record of batch.records) fold(record)
        next = batch.next
        wake()
      })
      await follower
      await reached(end)
    },
    async change({ strategy, fusion, streams }) {
      allocator.check({ strategy, fusion, streams })
      const record: StreamsRecord = {
        type: 'allocation.streams',
        strategy,
        fusion,
        streams: [...streams],
      }
      const [position] = await log.append(topics.control, [
        { key: null, value: JSON.stringify(record) },
      ])
      if (position === undefined) throw new AppError('LOG', 'The log said no position')
      await reached(position.offset + 1)
    },
    get offset() {
      return offset
    },
    async stop() {
      isStopped = true
      wake()
      await (await follower)?.stop()
    },
  }
}

/** `undefined` for records of other parts, and for what is no record at all. */
export function parseStreamsRecord(value: Uint8Array): StreamSettings | undefined {
  try {
    const record: unknown = JSON.parse(Buffer.from(value).toString('utf8'))
    if (!Value.Check(StreamsRecord, record)) return undefined
    const { strategy, fusion, streams } = record
    return { strategy, fusion, streams }
  } catch {
    return undefined
  }
}
