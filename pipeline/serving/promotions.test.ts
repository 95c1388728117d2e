import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { topics } from '../../infra/log/log.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { Gate } from './gate.ts'
import { createServing } from './serving.ts'
import { shadowFigures } from './shadow-figures.ts'
import { promotionsOn, startWorld, temporaryFolder, type World } from './world.fixture.ts'

const order = { replaces: '', force: true, by: 'ada', note: 'tried for a week', days: 28 }
const refusal = (message: RegExp) => ({ code: 'PROMOTION', message })

describe('promotions', () => {
  const folder = temporaryFolder()
  let world: World
  /** Fails so many times. */
  const failing = { inserts: 0 }

  before(async () => {
    world = await startWorld({
      folder: folder.path,
      storeThrough: (store) => unreliable(store, failing),
    })
    await world.push(30)
  })
  after(async () => {
    await world.stop()
    folder.remove()
  })

  /** The tones that all posts are shown in, each post once. */
  async function tones(posts: number, rows?: readonly { negative: number }[]): Promise<number[]> {
    const shown = rows ?? (await world.shown())
    assert.equal(shown.length, posts)
    return [...new Set(shown.map(({ negative }) => negative))]
  }

  const records = async () => (await world.log.endOffsets(topics.control))[0]

  async function done(): Promise<void> {
    await world.promotions.settled()
    const { state, error } = world.promotions.progress() ?? {}
    assert.deepEqual({ state, error }, { state: 'done', error: '' })
  }

  const refused = [
    {
      name: 'an expert that is not loaded',
      order: { ...order, expert: 'nobody' },
      why: /No expert nobody is loaded/,
    },
    { name: 'one that votes', order: { ...order, expert: 'calm' }, why: /calm votes already/ },
    {
      name: 'one without a weight beside the others',
      order: { ...order, expert: 'bleak' },
      why: /no weight of its own/,
    },
    {
      name: 'one for an expert that does not vote',
      order: { ...order, expert: 'bleak', replaces: 'dark' },
      why: /dark does not vote/,
    },
    {
      name: 'one with too few labels',
      order: { ...order, expert: 'dark', force: false },
      why: /There are 0 labels .* takes 200/,
    },
  ]
  for (const { name, order: wrong, why } of refused)
    it(`refuses ${name}, and records nothing`, async () => {
      await assert.rejects(world.promotions.promote(wrong), refusal(why))
      assert.equal(await records(), 0)
    })

  it('refuses a rollback of nothing', async () => {
    await assert.rejects(world.promotions.rollback(order), refusal(/Nothing was promoted/))
  })

  const changes = [
    {
      name: 'an expert beside the others',
      expert: 'dark',
      replaces: '',
      tone: 0.3,
      votes: ['calm', 'dark'],
    },
    {
      name: 'one in the place of another',
      expert: 'bleak',
      replaces: 'calm',
      tone: 0.5,
      votes: ['bleak', 'dark'],
    },
    { name: undefined, tone: 0.3, votes: ['calm', 'dark'] },
    { name: undefined, tone: 0.2, votes: ['calm'] },
  ]
  let posts = 30
  const history: { at: number; posts: number; tone: number }[] = []
  for (const { name, tone, votes, ...change } of changes)
    it(`shows the past and what comes as they judge who vote after ${name === undefined ? 'a rollback' : `promoting ${name}`}`, async () => {
      if (change.expert === undefined) await world.promotions.rollback(order)
      else await world.promotions.promote({ ...order, ...change })
      await done()
      assert.deepEqual(world.serving.set().experts, votes)
      assert.deepEqual(await tones(posts), [tone])
      await world.push(10)
      posts += 10
      assert.deepEqual(await tones(posts), [tone])
      history.push({ at: Date.now(), posts, tone })
    })

  it('tells what was shown at any time', async () => {
    for (const { at, posts: then, tone } of history) {
      const rows = await world.store.query<{ negative: number }>(
        `SELECT round(negative, 3) AS negative FROM revisions_v
         WHERE ordinal = 0 AND served_from <= fromUnixTimestamp64Milli({at:Int64}) AND served_until > fromUnixTimestamp64Milli({at:Int64})`,
        { at },
      )
      assert.deepEqual(await tones(then, rows), [tone])
    }
  })

  it('records who forced what', async () => {
    const rows = await world.store.query(
      'SELECT DISTINCT action, expert, replaces, person, note, forced FROM serving ORDER BY control_offset LIMIT 1',
    )
    assert.deepEqual(rows, [
      {
        action: 'promote',
        expert: 'dark',
        replaces: '',
        person: 'ada',
        note: 'tried for a week',
        forced: true,
      },
    ])
  })

  it('comes to the same state from the log alone', async () => {
    const { log, store, serving } = world
    const again = createServing({ log, store, logger, configured: ['calm'] })
    await again.start()
    assert.deepEqual(again.state(), serving.state())
    await again.stop()
  })

  it('lets one of two changes through that are ordered at once', async () => {
    const first = world.promotions.promote({ ...order, expert: 'dark' })
    await assert.rejects(world.promotions.rollback(order), refusal(/is under way/))
    await first
    await done()
    await world.promotions.rollback(order)
    await done()
  })

  it('lets one of two instances through that change the same state', async () => {
    const other = await promotionsOn(world)
    const both = [world.promotions, other.promotions]
    await Promise.all(both.map((each) => each.promote({ ...order, expert: 'dark' })))
    await Promise.all(both.map((each) => each.settled()))
    assert.deepEqual(both.map((each) => each.progress()?.state).sort(), ['done', 'failed'])
    assert.deepEqual(other.serving.state(), world.serving.state())
    assert.deepEqual(world.serving.set().experts, ['calm', 'dark'])
    assert.deepEqual(await tones(posts), [0.3])
    await other.stop()
  })

  it('switches when the store, which failed at first, takes the record', async () => {
    failing.inserts = 2
    await world.promotions.rollback(order)
    await done()
    assert.deepEqual(failing, { inserts: 0 })
    assert.deepEqual(await tones(posts), [0.2])
  })

  it('lets live posts through when the store keeps them waiting, and switches when it takes the record', async () => {
    const gate = new Gate()
    const late = new AbortController()
    const slow = await promotionsOn({ ...world, gate, held: () => late.signal })
    failing.inserts = Number.POSITIVE_INFINITY
    const before = (await records()) ?? 0
    await slow.promotions.promote({ ...order, expert: 'dark' })
    // That of the re-scoring, and that of the switch.
    while (((await records()) ?? 0) < before + 2) await new Promise(setImmediate)
    late.abort()
    await gate.pass(async () => {}, new AbortController().signal)
    assert.equal(slow.promotions.progress()?.state, 'switching')
    assert.deepEqual(slow.serving.set().experts, ['calm'])
    failing.inserts = 0
    await slow.promotions.settled()
    assert.equal(slow.promotions.progress()?.state, 'done')
    await slow.stop()
    await world.promotions.rollback(order)
    await done()
    assert.deepEqual(await tones(posts), [0.2])
  })

  it('needs no force with 200 labels of the random share that hold what the expert says', async () => {
    const { store, promotions } = world
    const label = (offset: number) => ({
      offset,
      log_topic: 'posts@0',
      post_offset: offset,
      task: 'sentiment',
      label: 'negative',
      labeller: 'ada',
      origin: 'uniform',
      selection_probability: 0.01,
      kind: 'news',
      // What was shown is right on 120, the expert on 140, both on 100.
      fused: offset < 120 ? [0.9, 0.1, 0] : [0.1, 0.9, 0],
      'experts.name': ['calm', 'dark'],
      'experts.version': ['1', '1'],
      'experts.probabilities': [
        [0.2, 0.7, 0.1],
        offset >= 20 && offset < 160 ? [0.6, 0.3, 0.1] : [0.1, 0.3, 0.6],
      ],
      'experts.ran': [true, true],
      'experts.shadow': [false, true],
    })
    const labels = Array.from({ length: 200 }, (_, offset) => label(offset))
    await store.insert('labels', [
      ...labels.slice(1),
      ...labels.slice(1, 50),
      { ...label(300), origin: 'informative' },
      { ...label(301), origin: 'chosen', selection_probability: null },
      { ...label(302), 'experts.version': ['1', '0'] },
      { ...label(303), 'experts.name': ['calm', 'bleak'] },
    ])
    const checked = { ...order, expert: 'dark', force: false }
    await assert.rejects(promotions.promote(checked), refusal(/There are 199 labels/))
    await store.insert('labels', labels.slice(0, 1))
    const [figures] = await shadowFigures(store, { name: 'dark', version: '1' }, 'posts@0')
    assert.deepEqual(
      [figures?.shownAccuracy.share, figures?.shadowAccuracy.share, figures?.shadowAccuracy.n],
      [0.6, 0.7, 200],
    )
    assert.equal(figures?.accuracyDifference?.difference, 0.1)
    await promotions.promote(checked)
    await done()
    const [row] = await store.query(
      'SELECT labels, forced FROM serving ORDER BY control_offset DESC LIMIT 1',
    )
    assert.deepEqual(row, { labels: 200, forced: false })
  })

  it('keeps no row of a revision twice', async () => {
    const [row] = await world.store.query<{ rows: number; distinct: number }>(
      'SELECT count() AS rows, uniqExact(revision, log_topic, partition, offset, ordinal) AS distinct FROM rescored',
    )
    assert.equal(row?.rows, row?.distinct)
  })
})

/** A store whose plain inserts fail as often as it is told. */
function unreliable(store: Store, failing: { inserts: number }): Store {
  return {
    ...store,
    async insert(table, rows) {
      if (failing.inserts === 0) return store.insert(table, rows)
      failing.inserts -= 1
      throw new Error('the store is away')
    },
  }
}
