import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Post } from './contract.ts'
import { createScheduler, type Placement, type Plan } from './schedule.ts'

const startMs = Date.parse('2026-11-24T12:00:00Z')
const sourceMs = Date.parse('2020-06-26T00:00:00Z')

function postAt(ms: number, fields: Partial<Post> = {}): Post {
  const publishedAt = new Date(sourceMs + ms).toISOString()
  return { id: 'a', source: 's', kind: 'comment', text: 't', publishedAt, ...fields }
}

function schedule(plan: Partial<Plan>, ...offsetsMs: number[]): Placement[] {
  const place = createScheduler({ speed: 1, startMs, times: 'rebase', ...plan } as Plan)
  return offsetsMs.map((ms) => place(postAt(ms)))
}

const dueAfter = (placement: Placement) =>
  typeof placement === 'string' ? placement : placement.dueMs - startMs
const published = (placement: Placement) =>
  typeof placement === 'string' ? placement : Date.parse(placement.post.publishedAt) - startMs

describe('createScheduler', () => {
  it('divides every gap by the speed, at any speed', () => {
    const gaps = fc.array(fc.nat({ max: 1e8 }), { maxLength: 20 })
    fc.assert(
      fc.property(gaps, fc.double({ min: 0.1, max: 1e5, noNaN: true }), (times, speed) => {
        const sorted = times.toSorted((a, b) => a - b)
        const placements = schedule({ speed, fromMs: sourceMs }, ...sorted)
        assert.deepEqual(
          placements.map(dueAfter).map((ms) => Math.round(Number(ms))),
          sorted.map((ms) => Math.round(ms / speed + startMs) - startMs),
        )
      }),
    )
  })

  it('begins with the first post where no beginning is chosen', () => {
    assert.deepEqual(schedule({ speed: 60 }, 120_000, 180_000).map(dueAfter), [0, 1_000])
  })

  it('keeps the time between the chosen beginning and the first post', () => {
    assert.deepEqual(schedule({ speed: 60, fromMs: sourceMs }, 120_000).map(dueAfter), [2_000])
  })

  it('plays [from, to)', () => {
    const plan = { fromMs: sourceMs + 10, toMs: sourceMs + 20 }
    assert.deepEqual(schedule(plan, 9, 10, 19, 20).map(dueAfter), ['outside', 0, 9, 'outside'])
  })

  it('refuses a row out of order, except where order does not matter', () => {
    assert.deepEqual(schedule({}, 10, 5, 10).map(dueAfter), [0, 'disordered', 0])
    assert.deepEqual(schedule({ speed: 'full' }, 10, 5).map(dueAfter), [0, 0])
  })

  it('rebases publishedAt to the time due and keeps the source time', () => {
    const [placement] = schedule({ speed: 10, fromMs: sourceMs }, 5_000)
    assert.deepEqual(placement, {
      dueMs: startMs + 500,
      post: postAt(0, {
        publishedAt: '2026-11-24T12:00:00.500Z',
        originalPublishedAt: '2020-06-26T00:00:05.000Z',
      }),
    })
  })

  it('keeps the first original time of a post replayed twice', () => {
    const place = createScheduler({ speed: 1, startMs, times: 'rebase' })
    const placement = place(postAt(0, { originalPublishedAt: '2014-01-01T00:00:00.000Z' }))
    assert.ok(typeof placement !== 'string')
    assert.equal(placement.post.originalPublishedAt, '2014-01-01T00:00:00.000Z')
  })

  it('changes nothing in a post that keeps its times', () => {
    const place = createScheduler({ speed: 2, startMs, times: 'keep' })
    assert.deepEqual(place(postAt(0)), { dueMs: startMs, post: postAt(0) })
  })

  it('lays history before the start, at once due, at the same speed', () => {
    const plan = { times: 'history', speed: 10, toMs: sourceMs + 10_000 } as const
    const placements = schedule(plan, 0, 9_000, 10_000)
    assert.deepEqual(placements.map(dueAfter), [0, 0, 'outside'])
    assert.deepEqual(placements.map(published), [-1_000, -100, 'outside'])
    const [first] = placements
    assert.ok(typeof first === 'object' && first.post.history === true)
    assert.equal(first.post.originalPublishedAt, '2020-06-26T00:00:00.000Z')
  })
})
