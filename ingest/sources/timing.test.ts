import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { publishedTime, type ReadingTime } from './timing.ts'

const minute = 60_000
const nowMs = Date.parse('2024-03-05T10:00:00Z')
const regular: ReadingTime = { nowMs, catchingUp: false, freshMs: 10 * minute, undated: 'history' }
const first = { ...regular, catchingUp: true }
const firstSeen = { ...regular, undated: 'firstSeen' } as const
const ago = (minutes: number) => ({ ms: nowMs - minutes * minute, exact: true })

describe('publishedTime', () => {
  for (const { name, date, reading, publishedMs, history } of [
    {
      name: 'a fresh item',
      date: ago(1),
      reading: regular,
      publishedMs: nowMs - minute,
      history: false,
    },
    {
      name: 'a late item in regular reading',
      date: ago(90),
      reading: regular,
      publishedMs: nowMs - 90 * minute,
      history: false,
    },
    {
      name: 'a fresh item at the first reading',
      date: ago(10),
      reading: first,
      publishedMs: nowMs - 10 * minute,
      history: false,
    },
    {
      name: 'an older item at the first reading',
      date: ago(11),
      reading: first,
      publishedMs: nowMs - 11 * minute,
      history: true,
    },
    {
      name: 'an item without date',
      date: undefined,
      reading: regular,
      publishedMs: nowMs,
      history: true,
    },
    {
      name: 'one that is new by its appearance',
      date: undefined,
      reading: firstSeen,
      publishedMs: nowMs,
      history: false,
    },
    {
      name: 'one that appears after a pause',
      date: undefined,
      reading: { ...firstSeen, catchingUp: true },
      publishedMs: nowMs,
      history: true,
    },
    {
      name: 'an item from tomorrow',
      date: ago(-1440),
      reading: regular,
      publishedMs: nowMs,
      history: true,
    },
    {
      name: 'an item of a fast clock',
      date: ago(-4),
      reading: regular,
      publishedMs: nowMs + 4 * minute,
      history: false,
    },
    {
      name: 'an item of a known day',
      date: { ms: nowMs - 600 * minute, exact: false },
      reading: firstSeen,
      publishedMs: nowMs - 600 * minute,
      history: true,
    },
  ])
    it(`takes ${name} for ${history ? 'history' : 'live'}`, () => {
      assert.deepEqual(publishedTime(date, reading), { publishedMs, history })
    })
})
