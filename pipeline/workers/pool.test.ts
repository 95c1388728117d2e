/** What the pool promises under any schedule of deaths. Real processes: pool-faults.test.ts. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { AppError } from '../../infra/errors.ts'
import { silentLogger } from '../../infra/logger.ts'
import { isLethal } from '../experts/expert.ts'
import type { Answer } from './pending-call.ts'
import { startWorkerPool } from './pool.ts'
import {
  ceilingBytes,
  fates,
  ready,
  type ScriptedWorkers,
  scriptedWorkers,
} from './scripted-workers.fixture.ts'
import type { StartWorker } from './worker-process.ts'

function openPool(workers: ScriptedWorkers, count: number, clock = () => 0) {
  return startWorkerPool({
    count,
    start: workers.start,
    queue: { texts: 100, bytes: 10_000 },
    job: { texts: 4, bytes: 10_000 },
    memoryBytes: ceilingBytes,
    clock,
    logger: silentLogger,
    backoff: () => 0,
  })
}

const schedule = fc.record({
  count: fc.integer({ min: 1, max: 3 }),
  fates: fc.array(fc.constantFrom(...fates), { maxLength: 20 }),
  calls: fc.array(
    fc.record({
      priority: fc.constantFrom('live', 'history'),
      /** Whether each text kills. */
      texts: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)), {
        maxLength: 12,
      }),
      /** Read only where there are deadlines. */
      withinMs: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(Number.POSITIVE_INFINITY)),
    }),
    { maxLength: 4 },
  ),
})

const kills = (text: string) => text.endsWith('kills')
/** Each begins with its number. */
const textOf = (number: number, isKiller: boolean) =>
  `${number} ${isKiller ? 'kills' : 'is harmless'}`
const expectedOf = (text: string) => (kills(text) ? 'lethal' : Number.parseInt(text, 10))
const asTexts = (texts: readonly string[]) => texts.map((text) => ({ title: '', text }))
const givenIn = (answers: readonly Answer[]) =>
  answers.map((answer) => (isLethal(answer) ? 'lethal' : answer.logits[0]))

describe('the pool, under any schedule of deaths', () => {
  it('answers every text once, in order, and convicts those that kill and no other', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ count, fates, calls }) => {
        const workers = scriptedWorkers({ fates, kills })
        const pool = await openPool(workers, count)
        let number = 0
        const asked = calls.map(({ priority, texts }) => ({
          priority,
          texts: texts.map((isKiller) => textOf(number++, isKiller)),
        }))
        await Promise.all(
          asked.map(async ({ priority, texts }) => {
            const call = { priority, withinMs: Number.POSITIVE_INFINITY }
            const answers = await pool.read(asTexts(texts), call)
            assert.deepEqual(givenIn(answers), texts.map(expectedOf))
          }),
        )
        const all = asked.flatMap(({ texts }) => texts)
        for (const text of all) assert.equal(workers.answers.get(text) ?? 0, kills(text) ? 0 : 1)
        const stats = pool.stats()
        assert.equal(stats.lethalTexts, all.filter(kills).length)
        assert.equal(stats.texts, all.length - stats.lethalTexts)
        assert.deepEqual([stats.queuedTexts, stats.queuedBytes], [0, 0])
        await pool.close()
        assert.equal(workers.running.size, 0)
      }),
    )
  })

  it('settles every call, by all its answers, its deadline or the end of the pool', async () => {
    const closeAt = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(Number.POSITIVE_INFINITY))
    await fc.assert(
      fc.asyncProperty(schedule, closeAt, async ({ count, fates, calls }, closeAt) => {
        let now = 0
        const workers = scriptedWorkers({ fates, kills })
        const pool = await openPool(workers, count, () => now)
        let number = 0
        let open = calls.length
        const settled = calls.map(async ({ texts: killers, ...call }) => {
          const texts = killers.map((isKiller) => textOf(number++, isKiller))
          try {
            assert.deepEqual(givenIn(await pool.read(asTexts(texts), call)), texts.map(expectedOf))
          } catch (error) {
            const isLate = now >= call.withinMs && call.withinMs < Number.POSITIVE_INFINITY
            const codes = [...(isLate ? ['DEADLINE'] : []), ...(now >= closeAt ? ['WORKER'] : [])]
            assert.ok(error instanceof AppError && codes.includes(error.code), String(error))
          } finally {
            open--
          }
        })
        while (open > 0) {
          if (now === closeAt) void pool.close()
          await turn()
          now++
        }
        await Promise.all(settled)
        const { queuedTexts, queuedBytes } = pool.stats()
        assert.deepEqual([queuedTexts, queuedBytes], [0, 0])
        await pool.close()
        assert.equal(workers.running.size, 0)
      }),
    )
  })
})

/** Workers that answer a job only when they are told to. */
function slowWorkers() {
  let answer = () => {}
  const start: StartWorker = ({ message, ended }) => {
    setImmediate(() => message(ready))
    return {
      send({ job, texts }) {
        const readings = texts.map(() => ({ windowTokens: [1], logits: new Float32Array(1) }))
        const counts = { tokens: { real: 1, padded: 1 }, batches: 1, computeMs: 1, memoryBytes: 1 }
        answer = () => message({ type: 'done', job, readings, ...counts })
      },
      kill: () => void setImmediate(() => ended('was killed')),
    }
  }
  return { start, answer: () => answer() }
}

describe('the pool with workers that are late', () => {
  const bounds = { startWithinMs: 1e6, answerWithinMs: 10, aloneWithinMs: 100, closeWithinMs: 1e6 }
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }))
  afterEach(() => mock.timers.reset())

  /** Time goes by; then what was killed ends, rests for no time, and its successor is ready. */
  async function pass(ms: number): Promise<void> {
    for (const step of [ms, 0, 0]) {
      mock.timers.tick(step)
      for (let turns = 0; turns < 5; turns++) await turn()
    }
  }

  async function openLatePool() {
    const { start, answer } = slowWorkers()
    const pool = await startWorkerPool({
      count: 1,
      start,
      queue: { texts: 9, bytes: 99 },
      memoryBytes: 9,
      clock: () => 0,
      logger: silentLogger,
      backoff: () => 0,
      bounds,
    })
    return { pool, answer }
  }

  it('convicts no text that is late with others, or early by the patience of a trial', async () => {
    const { pool, answer } = await openLatePool()
    const answers = pool.read(['a', 'b', 'c', 'd'].map((text) => ({ title: '', text })))
    await pass(10)
    // Two halves, both late.
    await pass(10)
    await pass(10)
    for (let text = 0; text < 4; text++) {
      await pass(99)
      answer()
      await pass(0)
    }
    assert.deepEqual((await answers).map(isLethal), [false, false, false, false])
    const { deaths, lethalTexts } = pool.stats()
    assert.deepEqual({ deaths, lethalTexts }, { deaths: 3, lethalTexts: 0 })
    await pool.close()
  })

  it('convicts a text that is late alone in two trials', async () => {
    const { pool } = await openLatePool()
    const answers = pool.read([{ title: '', text: 'a' }])
    await pass(10)
    await pass(100)
    assert.equal(pool.stats().lethalTexts, 0)
    await pass(100)
    assert.deepEqual((await answers).map(isLethal), [true])
    assert.equal(pool.stats().deaths, 3)
    await pool.close()
  })
})
