import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../errors.ts'
import { silentLogger } from '../logger.ts'
import { deferred } from './log.fixture.ts'
import { PartitionReader, type PartitionReaderDeps } from './partition-reader.ts'

const one = (from: number) => ({ from, next: from + 1, records: [] })

function createReader(deps: Partial<PartitionReaderDeps>): PartitionReader {
  return new PartitionReader({
    topic: 'posts',
    partition: 0,
    start: async () => 0,
    read: one,
    onBatch: async () => {},
    onStopped: () => {},
    onEnd: () => {},
    backoff: { firstMs: 1, maxMs: 4 },
    logger: silentLogger,
    ...deps,
  })
}

describe('a reader of a partition', () => {
  it('asks again where to start when that failed', async () => {
    const [answers, delivered] = [
      [new Error('not yet'), new Error('not yet'), 7],
      deferred<number>(),
    ]
    const reader = createReader({
      async start() {
        const answer = answers.shift()
        if (typeof answer !== 'number') throw answer
        return answer
      },
      onBatch: async ({ from }) => delivered.resolve(from),
    })
    reader.start()
    assert.equal(await delivered.promise, 7)
    await reader.stop()
  })

  it('reads again when reading failed', async () => {
    const delivered = deferred()
    let reads = 0
    const reader = createReader({
      read(from) {
        reads += 1
        if (reads < 3) throw new AppError('LOG', 'hiccup', { retryable: true })
        return one(from)
      },
      onBatch: async () => delivered.resolve(),
    })
    reader.start()
    await delivered.promise
    await reader.stop()
  })

  it('stops at once in the middle of a long backoff', async () => {
    const failed = deferred()
    const reader = createReader({
      backoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
      async onBatch() {
        setImmediate(failed.resolve)
        throw new Error('broken')
      },
    })
    reader.start()
    await failed.promise
    await reader.stop()
  })

  it('tells of an error that must not be repeated, then that it ended, once each', async () => {
    const told: string[] = []
    const ended = deferred()
    const reader = createReader({
      async start() {
        throw new AppError('LOG_REPLACED', 'another log')
      },
      onStopped: (error) => void told.push(error instanceof AppError ? error.code : 'unknown'),
      onEnd() {
        told.push('end')
        ended.resolve()
      },
    })
    reader.start()
    await ended.promise
    await reader.stop()
    assert.deepEqual(told, ['LOG_REPLACED', 'end'])
  })

  it('lets other work run between batches that are always ready', async () => {
    const ticked = deferred()
    const reader = createReader({})
    reader.start()
    setTimeout(ticked.resolve, 1)
    await ticked.promise
    await reader.stop()
  })

  it('holds the repetition of a failed batch while paused', async () => {
    const [others, again] = [deferred(), deferred()]
    let [attempts, attemptsOfOther] = [0, 0]
    const reader = createReader({
      async onBatch() {
        attempts += 1
        if (attempts > 1) return again.resolve()
        reader.pause()
        throw new Error('broken')
      },
    })
    const other = createReader({
      async onBatch() {
        attemptsOfOther += 1
        if (attemptsOfOther > 4) return others.resolve()
        throw new Error('broken')
      },
    })
    reader.start()
    other.start()
    await others.promise
    assert.equal(attempts, 1)
    reader.resume()
    await again.promise
    await Promise.all([reader.stop(), other.stop()])
  })
})
