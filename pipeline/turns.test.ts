import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Turns } from './turns.ts'

test('any work is done once, in order, never more than allowed at once, whatever fails', async () => {
  const jobs = fc.array(fc.record({ ticks: fc.nat({ max: 5 }), fails: fc.boolean() }))
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), jobs, async (atOnce, jobs) => {
      const turns = new Turns(atOnce)
      const begun: number[] = []
      let running = 0
      const results = await Promise.allSettled(
        jobs.map(({ ticks, fails }, job) =>
          turns.take(async () => {
            begun.push(job)
            running += 1
            assert.ok(running <= atOnce)
            for (let tick = 0; tick < ticks; tick += 1) await undefined
            running -= 1
            if (fails) throw new Error('failed')
          }),
        ),
      )
      assert.deepEqual(begun, [...jobs.keys()])
      assert.deepEqual(
        results.map(({ status }) => status === 'rejected'),
        jobs.map(({ fails }) => fails),
      )
    }),
  )
})
