import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noteItems, silentAfterMs, type Vigil } from './silence.ts'

const hour = 3_600_000
const day = 24 * hour
const monday = Date.parse('2024-03-04T00:00:00Z')

/** Items at these times, in hours since Monday. */
const watched = (hours: readonly number[]): Vigil =>
  hours.reduce<Vigil>((vigil, at) => noteItems(vigil, monday + at * hour), {})

const weekdays = (weeks: number): number[] =>
  Array.from({ length: weeks * 7 * 24 }, (_, at) => at).filter(
    (at) => Math.floor(at / 24) % 7 < 5 && at % 24 >= 8 && at % 24 < 18,
  )

describe('silentAfterMs', () => {
  it('is what the owner says, and never for 0', () => {
    assert.equal(silentAfterMs({}, 30), 30 * 60_000)
    assert.equal(silentAfterMs({}, 0), undefined)
  })

  it('knows nothing before a week has passed', () => {
    assert.equal(silentAfterMs({}, undefined), undefined)
    assert.equal(silentAfterMs(watched(weekdays(1)), undefined), undefined)
  })

  it('has learned nights and weekends in two weeks', () => {
    const weekend = 24 * 2 + 15
    assert.equal(silentAfterMs(watched(weekdays(2)), undefined), 1.5 * weekend * hour)
  })

  it('is no shorter than an hour', () => {
    const often = Array.from({ length: 8 * 24 * 60 }, (_, minute) => minute / 60)
    assert.equal(silentAfterMs(watched(often), undefined), hour)
  })

  it('forgets a pause of long ago', () => {
    const afterPause = weekdays(5).map((at) => at + 24 * 60)
    const vigil = watched([0, ...afterPause])
    assert.ok((vigil.pauses ?? []).length <= 15)
    assert.ok((silentAfterMs(vigil, undefined) ?? 0) < 5 * day)
  })
})
