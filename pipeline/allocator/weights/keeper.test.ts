import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../../infra/clock.ts'
import { AppError } from '../../../infra/errors.ts'
import {
  temporaryFolder as logFolder,
  openTestLog,
} from '../../../infra/log/embedded-log.fixture.ts'
import type { EmbeddedLog } from '../../../infra/log/embedded-log.ts'
import { deferred } from '../../../infra/log/log.fixture.ts'
import type { Log } from '../../../infra/log/log.ts'
import { silentLogger } from '../../../infra/logger.ts'
import { temporaryFolder } from '../../../infra/store/analyses.fixture.ts'
import { openEmbeddedStore } from '../../../infra/store/embedded.ts'
import type { Store } from '../../../infra/store/store.ts'
import { WeightFold } from './fold.ts'
import { createWeightKeeper, type KeptDrift, type WeightKeeperDeps } from './keeper.ts'
import { bytesOf, labelled, model } from './labels.fixture.ts'
import { modelSet } from './model.ts'

const tweet = { task: 'sentiment', kind: 'news', language: 'en', textLength: 90 } as const
const recordOf = (i: number) => bytesOf(labelled({ id: `p${i}`, label: i % 3 }))

/** Weights after the first records, of a fold that nobody interrupted. */
function weightsAfter(count: number) {
  const fold = new WeightFold(model)
  for (let i = 0; i < count; i++) fold.fold(recordOf(i), i)
  return fold.book().weights(tweet)
}

type KeptLog = WeightKeeperDeps['log']

/** The log, but for these. */
function logWith(log: Log, changes: Partial<KeptLog>): KeptLog {
  return {
    ensureTopics: (specs) => log.ensureTopics(specs),
    beginningOffsets: (topic) => log.beginningOffsets(topic),
    endOffsets: (topic) => log.endOffsets(topic),
    follow: (topic, from, onBatch) => log.follow(topic, from, onBatch),
    ...changes,
  }
}

describe('the keeper of weights', () => {
  const folder = temporaryFolder()
  let store: Store

  before(async () => {
    store = await openEmbeddedStore({ path: folder.path })
  })
  after(async () => {
    await store.close()
    folder.remove()
  })

  const keeperOf = (log: WeightKeeperDeps['log'], more: Partial<WeightKeeperDeps> = {}) =>
    createWeightKeeper({ log, store, clock: systemClock, logger: silentLogger, ...model, ...more })

  /** A log of its own with the first records of `feedback`; the table of snapshots is empty. */
  async function openLog(count: number): Promise<EmbeddedLog> {
    await store.command('TRUNCATE TABLE weight_snapshots')
    const log = openTestLog(logFolder())
    await log.ensureTopics([{ name: 'feedback', partitions: 1 }])
    await append(log, 0, count)
    return log
  }

  const append = (log: Log, from: number, to: number) =>
    log.append(
      'feedback',
      Array.from({ length: to - from }, (_, i) => ({ key: null, value: recordOf(from + i) })),
    )

  const snapshots = () =>
    store.query<{ model_set: string; offset: number }>(
      'SELECT model_set, offset FROM weight_snapshots ORDER BY offset',
    )

  /** The offsets that a log is followed from. */
  function followedFrom(log: Log): { readonly log: KeptLog; readonly from: number[] } {
    const from: number[] = []
    const follow: Log['follow'] = (topic, offsets, onBatch) => {
      from.push(offsets[0] ?? 0)
      return log.follow(topic, offsets, onBatch)
    }
    return { log: logWith(log, { follow }), from }
  }

  it('has the prior weights of an empty topic, which it makes', async () => {
    const log = openTestLog(logFolder())
    const keeper = keeperOf(log)
    await Promise.all([keeper.start(), keeper.start()])
    assert.equal(keeper.book().version, -1)
    assert.deepEqual(keeper.book().weights(tweet), weightsAfter(0))
    await Promise.all([keeper.stop(), keeper.stop()])
    assert.deepEqual(await snapshots(), [])
    await log.close()
  })

  it('has folded all that the log held when it has started', async () => {
    const log = await openLog(5_000)
    const keeper = keeperOf(log, { snapshotEvery: 100 })
    await keeper.start()
    assert.deepEqual(
      (await snapshots()).map(({ offset }) => offset),
      [4_999],
    )
    assert.equal(keeper.book().version, 4_999)
    assert.deepEqual(keeper.book().weights(tweet), weightsAfter(5_000))
    assert.equal(keeper.counts().learned, 5_000)
    await keeper.stop()
    await log.close()
  })

  it('goes on from its last snapshot with the same weights, to the bit', async () => {
    const log = await openLog(700)
    const first = keeperOf(log, { snapshotEvery: 100 })
    await first.start()
    await first.stop()
    assert.equal((await snapshots()).at(-1)?.offset, 699)
    await append(log, 700, 800)
    const watched = followedFrom(log)
    const second = keeperOf(watched.log)
    await second.start()
    assert.equal(watched.from.at(-1), 700)
    assert.deepEqual(second.book().weights(tweet), weightsAfter(800))
    assert.equal(second.book().version, 799)
    await second.stop()
    await log.close()
  })

  it('follows the topic, and stores a snapshot every so many records', async () => {
    const log = await openLog(0)
    const { promise: folded, resolve } = deferred()
    const watched = logWith(log, {
      follow: (topic, from, onBatch) =>
        log.follow(topic, from, async (batch) => {
          await onBatch(batch)
          if (batch.next === 250) resolve()
        }),
    })
    const keeper = keeperOf(watched, { snapshotEvery: 100 })
    await keeper.start()
    await append(log, 0, 250)
    await folded
    assert.deepEqual(keeper.book().weights(tweet), weightsAfter(250))
    assert.deepEqual(
      (await snapshots()).map(({ offset }) => offset),
      [249],
    )
    await keeper.stop()
    await log.close()
  })

  it('keeps the two newest snapshots', async () => {
    const log = await openLog(0)
    for (const count of [10, 20, 30]) {
      await append(log, count - 10, count)
      const keeper = keeperOf(log)
      await keeper.start()
      await keeper.stop()
    }
    assert.deepEqual(
      (await snapshots()).map(({ offset }) => offset),
      [19, 29],
    )
    await log.close()
  })

  const unusable = [
    { name: 'damaged', offset: 49, state: 'damaged' },
    { name: 'ahead of the log', offset: 1_000, state: '' },
  ]
  for (const { name, offset, state } of unusable)
    it(`leaves a snapshot that is ${name}`, async () => {
      const log = await openLog(50)
      await store.insert('weight_snapshots', [
        { model_set: modelSet(model), offset, state, at: '2026-11-24 10:00:00.000' },
      ])
      const watched = followedFrom(log)
      const keeper = keeperOf(watched.log)
      await keeper.start()
      assert.equal(watched.from.at(-1), 0)
      assert.deepEqual(keeper.book().weights(tweet), weightsAfter(50))
      await keeper.stop()
      await log.close()
    })

  it('leaves snapshots of other experts and of another log', async () => {
    const log = await openLog(50)
    const keeper = keeperOf(log)
    await keeper.start()
    await keeper.stop()
    await log.close()

    const other = openTestLog(logFolder())
    await other.ensureTopics([{ name: 'feedback', partitions: 1 }])
    await append(other, 100, 200)
    const fewer = keeperOf(other, { experts: model.experts.slice(0, 2) })
    await fewer.start()
    assert.deepEqual(Object.keys(fewer.book().weights(tweet)), ['minilm', 'linear'])
    const watched = followedFrom(other)
    const same = keeperOf(watched.log)
    await same.start()
    assert.equal(watched.from.at(-1), 0)
    assert.equal(same.counts().learned, 100)
    await fewer.stop()
    await same.stop()
    await other.close()
  })

  it('refuses a topic that has lost records', async () => {
    const log = await openLog(3)
    const losing = logWith(log, { beginningOffsets: async () => [2] })
    await assert.rejects(keeperOf(losing).start(), (error) => {
      assert.ok(error instanceof AppError && error.code === 'FEEDBACK')
      return /lost its first 2 records/.test(error.message)
    })
    await log.close()
  })

  it('refuses a topic that the log cannot have so', async () => {
    const log = await openLog(0)
    const refused = new AppError('LOG', 'The topic feedback has 2 partitions, not 1')
    const wide = logWith(log, { ensureTopics: () => Promise.reject(refused) })
    await assert.rejects(keeperOf(wide).start(), { code: 'FEEDBACK', cause: refused })
    await log.close()
  })

  it('learns no more once records are lost under it, and says so', async () => {
    const log = await openLog(3)
    let begin = 0
    let deliver: Parameters<Log['follow']>[2] = async () => {}
    const losing = logWith(log, {
      beginningOffsets: async () => [begin],
      follow: (topic, from, onBatch) => {
        deliver = onBatch
        return log.follow(topic, from, onBatch)
      },
    })
    const keeper = keeperOf(losing)
    await keeper.start()
    const gap = (offset: number) => ({
      topic: 'feedback',
      partition: 0,
      from: 3,
      next: offset + 1,
      records: [{ offset, timestamp: 0, key: null, value: recordOf(offset) }],
      isCurrent: () => true,
    })
    await deliver(gap(5))
    assert.equal(keeper.book().version, 5)
    begin = 8
    await assert.rejects(deliver(gap(8)), { code: 'FEEDBACK', retryable: false })
    assert.equal(keeper.health()?.code, 'FEEDBACK')
    assert.equal(keeper.book().version, 5)
    await keeper.stop()
    await log.close()
  })

  it('can be stopped before and while it starts', async () => {
    const log = await openLog(10)
    const never = keeperOf(log)
    await never.stop()
    const early = keeperOf(log)
    const starting = early.start()
    await early.stop()
    await starting
    await log.close()
  })

  it('goes on without a snapshot when the store takes none', async () => {
    const log = await openLog(10)
    const failing: Store = {
      ...store,
      insert: () => Promise.reject(new AppError('STORE', 'no room')),
    }
    const keeper = keeperOf(log, { store: failing, snapshotEvery: 1 })
    await keeper.start()
    await append(log, 10, 20)
    await keeper.stop()
    assert.equal(keeper.health(), undefined)
    assert.deepEqual(await snapshots(), [])
    await log.close()
  })

  it('reports a drift with the time of its label', async () => {
    const log = await openLog(0)
    const values = Array.from({ length: 600 }, (_, i) =>
      bytesOf(
        labelled({ id: `p${i}`, fused: i % (i < 300 ? 5 : 1) === 0 ? [0, 1, 0] : [1, 0, 0] }),
      ),
    )
    await log.append(
      'feedback',
      values.map((value) => ({ key: null, value })),
    )
    const drifts: KeptDrift[] = []
    const keeper = keeperOf(log, { onDrift: (drift) => drifts.push(drift) })
    await keeper.start()
    assert.equal(drifts.length, 1)
    assert.ok(drifts[0] !== undefined && drifts[0].offset > 300 && drifts[0].at > 1_700_000_000_000)
    await keeper.stop()
    await log.close()
  })
})
