import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../infra/errors.ts'
import { deferred } from '../infra/log/log.fixture.ts'
import type { LogBatch } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { Backpressure } from './backpressure.ts'

const batch = (partition: number, bytes: number, isCurrent = () => true): LogBatch => ({
  topic: 'posts',
  partition,
  from: 0,
  next: 1,
  records: [{ offset: 0, timestamp: 0, key: 'key', value: Buffer.alloc(bytes - 3) }],
  isCurrent,
})

/** Of the partitions 0, 1 and 2; tells which are paused. */
function pressured(limits = { maxBytes: 100, maxMs: 1_000 }) {
  const paused = new Set<number>()
  let now = 0
  const pressure = new Backpressure({
    limits,
    clock: () => now,
    logger,
    pause: (partition) => paused.add(partition),
    resume: (partition) => paused.delete(partition),
  })
  for (const partition of [0, 1, 2]) pressure.assigned(partition)
  return {
    pressure,
    paused: () => [...paused].toSorted(),
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('all partitions are paused while the batches in hand have too many bytes', async () => {
  const { pressure, paused } = pressured()
  const [first, second] = [deferred(), deferred()]
  const holding = [
    pressure.holding(batch(0, 60), () => first.promise),
    pressure.holding(batch(1, 40), () => second.promise),
  ]
  assert.deepEqual(paused(), [])
  const third = pressure.holding(batch(2, 10), async () => assert.deepEqual(paused(), [0, 1, 2]))
  assert.equal(pressure.held().bytes, 110)
  await third
  assert.deepEqual(paused(), [])
  first.resolve()
  second.resolve()
  await Promise.all(holding)
  assert.deepEqual(pressure.held(), { bytes: 0, oldestMs: 0, pausedPartitions: 0 })
})

test('a batch above the limit alone is done all the same', async () => {
  const { pressure, paused } = pressured()
  await pressure.holding(batch(0, 5_000), async () => assert.deepEqual(paused(), [0, 1, 2]))
  assert.deepEqual(paused(), [])
})

test('all partitions are paused while the oldest batch is in hand for too long', async () => {
  const { pressure, paused, pass } = pressured()
  const slow = deferred()
  const holding = pressure.holding(batch(0, 10), () => slow.promise)
  pass(1_000)
  pressure.look()
  assert.deepEqual(paused(), [])
  pass(1)
  pressure.look()
  assert.deepEqual(paused(), [0, 1, 2])
  assert.equal(pressure.held().oldestMs, 1_001)
  slow.resolve()
  await holding
  assert.deepEqual(paused(), [])
})

const noExpert = async () => {
  throw new AppError('NO_EXPERT', 'nobody', { retryable: true })
}

test('without experts one partition is left to find out when they answer again', async () => {
  const { pressure, paused } = pressured()
  for (const partition of [1, 0, 1])
    await assert.rejects(pressure.holding(batch(partition, 10), noExpert))
  assert.deepEqual(paused(), [0, 2])
  await assert.rejects(
    pressure.holding(batch(1, 10), async () => {
      throw new AppError('STORE', 'full')
    }),
  )
  assert.deepEqual(paused(), [0, 2])
  await pressure.holding(batch(1, 10), async () => undefined)
  assert.deepEqual(paused(), [])
})

test('another partition finds out when the one that did is lost', async () => {
  const { pressure, paused } = pressured()
  await assert.rejects(pressure.holding(batch(1, 10), noExpert))
  pressure.lost(1)
  assert.deepEqual(paused(), [])
  await assert.rejects(
    pressure.holding(
      batch(1, 10, () => false),
      noExpert,
    ),
  )
  assert.deepEqual(paused(), [])
  await assert.rejects(pressure.holding(batch(2, 10), noExpert))
  assert.deepEqual(paused(), [0])
})

test('a partition that comes while too much is in hand is paused, and one that comes back is not for what was', async () => {
  const { pressure, paused } = pressured()
  await pressure.holding(batch(0, 200), async () => {
    pressure.lost(2)
    pressure.assigned(3)
    assert.deepEqual(paused(), [0, 1, 2, 3])
  })
  assert.deepEqual(paused(), [2])
  pressure.assigned(2)
  assert.deepEqual(paused(), [])
})
