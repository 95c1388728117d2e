import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ServedRange, ServingRecord } from '../pipeline/contract.ts'
import { appended, memoryLog, type RowSpec } from './engine.fixture.ts'
import { drizzle, emptyWorld, engineOn, minute, type World } from './engine-world.fixture.ts'
import type { MentionRow } from './window.ts'

const start = Date.parse('2026-03-02T09:00:00Z')
const halfway = start + 30 * minute + 4_321
const end = start + 35 * minute
const partitions = 2

const meta = { instrument: 'US:META' }
/** Two stories a second, as the old experts see them: half of them a little negative. */
const usual: RowSpec[] = [
  ...drizzle(start, end, 1_000, { ...meta, negative: 0.02 }),
  ...drizzle(start + 500, end, 1_000, { ...meta, negative: 0.3 }),
]
const spikeFrom = halfway + 20_500
const spike = drizzle(spikeFrom, spikeFrom + minute, 300, { ...meta, negative: 0.95 })

interface Scenario {
  /** What the new experts add to each P(negative). */
  readonly shift: number
  readonly stories: readonly RowSpec[]
  readonly switchAt?: number
  /** The record is written; else the new experts vote and nobody is told. */
  readonly told?: boolean
}

/** Plays the stories, the old experts before the switch and the new ones after it; a failing pass is repeated by a new engine. */
async function play(
  { shift, stories, switchAt = halfway, told = true }: Scenario,
  world = emptyWorld(),
) {
  const rows = appended(stories, partitions)
  const isOld = (row: MentionRow) => Date.parse(`${row.appended_at}Z`) < switchAt
  const shifted = (row: MentionRow) => ({ ...row, negative: Math.max(0, row.negative + shift) })
  const live = rows.map((row) => (isOld(row) ? row : shifted(row)))
  const coverage: ServedRange[] = Array.from({ length: partitions }, (_, partition) => ({
    logTopic: 'posts@0',
    partition,
    from: 0,
    to: rows.filter((row) => row.partition === partition && isOld(row)).length,
    revision: 1,
  }))
  const played: World = {
    ...world,
    inForce: async (read, ranges) =>
      read.map((row) => (ranges.some((range) => covers(range, row)) ? shifted(row) : row)),
  }
  const memory = memoryLog(partitions)
  let engine = engineOn(played, memory)
  let sent = 0
  for (played.now = start; played.now < end + 10 * minute; played.now += 10_000) {
    if (told && played.now >= switchAt && played.control.length === 0)
      played.control.push({ offset: 0, record: serving(coverage) })
    const due = live.filter((row) => Date.parse(`${row.appended_at}Z`) <= played.now)
    memory.append(due.slice(sent))
    sent = due.length
    try {
      while (await engine.pass());
    } catch {
      engine = engineOn(played, memory)
    }
  }
  return played
}

const covers = (range: ServedRange, row: MentionRow): boolean =>
  row.partition === range.partition && range.from <= row.offset && row.offset < range.to

const set = { experts: ['new'], standsFor: {} }
const serving = (coverage: ServedRange[]): ServingRecord => ({
  type: 'serving',
  action: 'promote',
  expert: 'new',
  replaces: 'old',
  set,
  before: { ...set, experts: ['old'] },
  after: -1,
  logTopic: 'posts@0',
  windowFrom: start,
  revision: 1,
  position: coverage.map(({ to }) => to),
  coverage,
  labels: 200,
  forced: false,
  by: 'ada',
  note: '',
})

const eventsOf = (world: World) => world.journal.events.map(({ state }) => state)

describe('other experts begin to vote', () => {
  for (const shift of [0.2, -0.2])
    it(`leaves the engine as if they had always voted, seeing everything ${shift > 0 ? 'more' : 'less'} negative`, async () => {
      const scenario = { shift, stories: [...usual, ...spike] }
      const { events } = (await play(scenario)).journal
      const always = await play({ ...scenario, switchAt: start })
      assert.deepEqual(events, always.journal.events)
      assert.equal(events[0]?.state, 'firing')
      const firedAt = Date.parse(events[0]?.at ?? '')
      assert.ok(firedAt > spikeFrom && firedAt <= spikeFrom + minute, events[0]?.at)
    })

  it('would be news if nobody told the engine', async () => {
    const world = await play({ shift: 0.2, stories: usual, told: false })
    assert.equal(eventsOf(world)[0], 'firing')
  })

  it('tells the same bytes when any one write fails', async () => {
    const scenario = { shift: 0.2, stories: [...usual, ...spike] }
    const whole = await play(scenario)
    for (const write of [1, 2].map((third) => Math.floor((third * whole.journal.writes) / 3))) {
      const world = emptyWorld()
      world.journal.failAt = { write, takesEffect: write % 2 === 0 }
      const played = await play(scenario, world)
      assert.deepEqual(played.journal.events, whole.journal.events, `write ${write}`)
    }
  })

  it('leaves an open alert open, and resolves it once', async () => {
    const early = drizzle(halfway - 50_500, halfway + 20_500, 300, { ...meta, negative: 0.95 })
    assert.deepEqual(eventsOf(await play({ shift: 0.2, stories: [...usual, ...early] })), [
      'firing',
      'recovering',
      'resolved',
    ])
  })
})
