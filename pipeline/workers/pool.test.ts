/** What the pool promises under any schedule of deaths. Real processes: pool-faults.test.ts. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../../infra/logger.ts'
import { isLethal } from '../experts/expert.ts'
import { startWorkerPool } from './pool.ts'
import {
  ceilingBytes,
  fates,
  type ScriptedWorkers,
  scriptedWorkers,
} from './scripted-workers.fixture.ts'

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
    }),
    { maxLength: 4 },
  ),
})

describe('the pool, under any schedule of deaths', () => {
  it('answers every text once, in order, and convicts those that kill and no other', async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async ({ count, fates, calls }) => {
        const kills = (text: string) => text.endsWith('kills')
        const workers = scriptedWorkers({ fates, kills })
        const pool = await openPool(workers, count)
        let number = 0
        const asked = calls.map(({ priority, texts }) => ({
          priority,
          texts: texts.map((isKiller) => `${number++} ${isKiller ? 'kills' : 'is harmless'}`),
        }))
        await Promise.all(
          asked.map(async ({ priority, texts }) => {
            const answers = await pool.read(
              texts.map((text) => ({ title: '', text })),
              { priority, withinMs: Number.POSITIVE_INFINITY },
            )
            const expected = texts.map((text) =>
              kills(text) ? 'lethal' : Number.parseInt(text, 10),
            )
            assert.deepEqual(
              answers.map((answer) => (isLethal(answer) ? 'lethal' : answer.logits[0])),
              expected,
            )
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
})
