import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { appended, memoryLog, mention, type RowSpec } from './engine.fixture.ts'
import { drizzle, emptyWorld, engineOn, minute, type World } from './engine-world.fixture.ts'
import type { MentionRow } from './window.ts'

const start = Date.parse('2026-03-02T09:00:00Z')

/** Twenty quiet minutes of two instruments, then a storm on one of them for a minute, then quiet again. */
const stream = appended(
  [
    ...drizzle(start, start + 40 * minute, 15_000, { instrument: 'US:META', negative: 0.2 }),
    ...drizzle(start + 1, start + 40 * minute, 20_000, { instrument: 'US:AAPL', negative: 0.3 }),
    ...drizzle(start + 20 * minute + 7, start + 21 * minute, 1_500, {
      instrument: 'US:META',
      negative: 0.9,
    }),
  ],
  4,
)

/** Plays the stream in virtual time, a pass every `stepMs`; a failing pass is repeated by a new engine. */
async function play(world: World, stepMs: number): Promise<void> {
  const memory = memoryLog(4)
  let engine = engineOn(world, memory)
  let sent = 0
  for (world.now = start; world.now < start + 45 * minute; world.now += stepMs) {
    const due = stream.filter((row) => Date.parse(`${row.appended_at}Z`) <= world.now)
    memory.append(due.slice(sent))
    sent = due.length
    try {
      while (await engine.pass()) {}
    } catch {
      engine = engineOn(world, memory)
    }
  }
}

const newWorld = (): World => ({ ...emptyWorld(), now: start })

describe('AlertEngine', () => {
  it('fires on the storm, on nothing else, and resolves', async () => {
    const world = newWorld()
    await play(world, 1_000)
    assert.deepEqual(
      world.journal.events.map(({ instrument, state }) => [instrument, state]),
      [
        ['US:META', 'firing'],
        ['US:META', 'recovering'],
        ['US:META', 'resolved'],
      ],
    )
    assert.equal(world.journal.notifications.length, 2)
  })

  it('tells the same bytes however the reading falls', async () => {
    const fine = newWorld()
    await play(fine, 700)
    const coarse = newWorld()
    await play(coarse, 90_000)
    assert.deepEqual(coarse.journal.events, fine.journal.events)
  })

  it('loses nothing and changes nothing when any one write fails', async () => {
    const whole = newWorld()
    await play(whole, 5_000)
    assert.ok(whole.journal.writes > 100)
    for (const takesEffect of [true, false])
      for (let write = 1; write <= whole.journal.writes; write += 20) {
        const world = newWorld()
        world.journal.failAt = { write, takesEffect }
        await play(world, 5_000)
        assert.deepEqual(world.journal.events, whole.journal.events, `write ${write}`)
        assert.deepEqual(world.journal.notifications, whole.journal.notifications)
      }
  })

  it('writes nothing while nothing comes', async () => {
    const world = newWorld()
    const memory = memoryLog(4)
    const engine = engineOn(world, memory)
    memory.append([mention({ at: start })])
    for (world.now = start; world.now < start + 60 * minute; world.now += 1_000) await engine.pass()
    assert.equal(world.journal.writes, 1)
  })

  it('keeps rows of history, of corrections and stale rows out of the live series', async () => {
    const world = newWorld()
    const memory = memoryLog(1)
    const engine = engineOn(world, memory)
    const storm = (row: Partial<MentionRow>): RowSpec[] =>
      drizzle(start, start + minute, 1_000, { negative: 0.95, ...row })
    const excluded = [
      storm({ history: true }),
      storm({ version: 2 }),
      storm({ status: 'withdrawn' }),
      storm({ outcome: 'unsupported' }),
      storm({ instrument: 'unresolved:XYZ' }),
      storm({ published_at: '2026-03-01 01:00:00.000' }),
      storm({ ordinal: 0, instrument: '' }),
    ]
    memory.append(appended(excluded.flat(), 1))
    world.now = start + 10 * minute
    while (await engine.pass()) {}
    assert.deepEqual(world.journal.events, [])
    assert.ok(world.journal.closes.length > 0)
  })

  it('learns from history what is usual, when control says so', async () => {
    const busy = drizzle(start - 60 * minute, start, 1_500, {
      instrument: 'US:META',
      negative: 0.9,
      history: true,
    })
    const world = newWorld()
    world.history.push(...appended(busy, 4))
    const seed = {
      type: 'baseline.seed',
      source: 'test',
      idPrefix: '',
      from: 0,
      to: start,
    } as const
    world.control.push({ offset: 0, record: seed })
    await play(world, 1_000)
    assert.deepEqual(world.journal.events, [])
  })
})
