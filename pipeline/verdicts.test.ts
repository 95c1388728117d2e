/** Texts that no expert may read, on the real log and engine: what becomes of them and of their batch, whatever its borders. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { EmbeddedLog } from '../infra/log/embedded-log.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { createAnalyst } from './allocator/analyst.ts'
import { createCalibration } from './allocator/calibration.ts'
import { createStaticAllocator } from './allocator/static.ts'
import { createLinker } from './entities/link.ts'
import type { Call, Expert } from './experts/expert.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { Gate } from './serving/gate.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-verdicts-'))
const logTopic = 'posts@0'
const reason = 'ended its reader, twice and alone'

interface Row {
  readonly post_id: string
  readonly outcome: string
  readonly version: number
  readonly reason: string
  readonly degraded: boolean
}

describe('a text that ends its reader', () => {
  let log: EmbeddedLog
  let store: Store
  let pipeline: Pipeline | undefined
  const heard: Call[] = []
  const batches: number[] = []
  let answered = async () => {}

  const careful: Expert = {
    name: 'careful',
    version: '1',
    tasks: ['sentiment'],
    classify: async (batch, call) => {
      if (call !== undefined) heard.push(call)
      batches.push(batch.length)
      await answered()
      return batch.map(({ text }) =>
        text.includes('poison') ? { lethal: reason } : { sentiment: [0.2, 0.3, 0.5] },
      )
    },
    close: async () => {},
  }
  const linker = createLinker()
  const weights = { news: { careful: 1 }, comment: { careful: 1 } }

  async function startPipeline(): Promise<Pipeline> {
    const started = createPipeline({
      log,
      store,
      logTopic,
      logger,
      clock: Date.now,
      flushMs: 1,
      limits: { maxBytes: 1e9, maxMs: 1e9 },
      withinMs: { live: 1, history: 20 },
      linker,
      gate: new Gate(),
      labelRates: { share: 0, uniformShare: 0 },
      analyst: createAnalyst({
        experts: [careful],
        allocator: createStaticAllocator({ weights, experts: [careful] }),
        calibration: createCalibration([]),
        referenceWeights: weights,
        onExpertFailure: (_, error) => {
          throw error
        },
      }),
      onFatal: (error) => {
        throw error
      },
    })
    await started.start()
    return started
  }

  before(async () => {
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: Date.now, logger })
    await log.ensureTopics([
      { name: topics.posts, partitions: 1 },
      { name: topics.dead, partitions: 1 },
    ])
    store = await openEmbeddedStore({ path: join(folder, 'store') })
  })

  after(async () => {
    await pipeline?.stop()
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const post = (id: string, text: string, fields: object = {}) => ({
    id,
    source: 'test',
    kind: 'news',
    text: `$FB ${text}`,
    publishedAt: '2020-06-26T16:50:00Z',
    ...fields,
  })

  async function append(posts: readonly object[]): Promise<number[]> {
    const records = posts.map((value) => ({ key: null, value: JSON.stringify(value) }))
    const positions = await log.append(topics.posts, records)
    return positions.map(({ offset }) => offset)
  }

  async function rowsAt(offsets: readonly number[]): Promise<Row[]> {
    const last = Math.max(...offsets)
    while ((await store.mark({ logTopic, partition: 0 })) < last);
    return store.query<Row>(
      `SELECT post_id, outcome, version, reason, degraded FROM analyses
       WHERE ordinal = 0 AND offset IN {offsets:Array(Int64)} ORDER BY offset`,
      { offsets },
    )
  }

  async function inOneBatch(posts: readonly object[]): Promise<Row[]> {
    await pipeline?.stop()
    const offsets = await append(posts)
    pipeline = await startPipeline()
    return rowsAt(offsets)
  }

  async function oneByOne(posts: readonly object[]): Promise<Row[]> {
    pipeline ??= await startPipeline()
    const rows: Row[] = []
    for (const post of posts) rows.push(...(await rowsAt(await append([post]))))
    return rows
  }

  it('is dead with its reason and its letter; the others of its batch are judged as ever', async () => {
    const rows = await inOneBatch([post('a', 'falls'), post('b', 'poison'), post('c', 'rises')])
    assert.deepEqual(
      rows.map(({ outcome, degraded }) => `${outcome} ${degraded}`),
      ['scored false', 'dead false', 'scored false'],
    )
    assert.deepEqual(rows[1], {
      post_id: 'b',
      outcome: 'dead',
      version: 0,
      reason,
      degraded: false,
    })
    const [end = 0] = await log.endOffsets(topics.dead)
    const letters: { origin: string; reason: string; payload: string }[] = []
    await new Promise<void>((resolve, reject) => {
      const following = log.follow(topics.dead, [0], async ({ records, next }) => {
        for (const { value } of records) letters.push(JSON.parse(value.toString()))
        if (next >= end) void following.then((follower) => follower.stop()).then(resolve, reject)
      })
    })
    assert.equal(letters.length, 1)
    assert.equal(letters[0]?.origin, `${logTopic}/0/1`)
    assert.equal(letters[0]?.reason, reason)
    assert.equal(JSON.parse(letters[0]?.payload ?? '').id, 'b')
  })

  const courses = [
    { name: 'repeated', texts: ['poison', 'poison', 'poison'] },
    { name: 'corrected', texts: ['poison', 'falls', 'falls'] },
    { name: 'between twins', texts: ['falls', 'poison', 'falls', 'rises'] },
    {
      name: 'a correction of itself',
      texts: ['falls', 'poison', 'poison more', 'rises', 'poison'],
    },
    { name: 'in another language too', texts: ['poison', 'акции упали', 'poison', 'акции упали'] },
  ]
  for (const { name, texts } of courses)
    it(`${name}: the same rows in one batch as one by one`, async () => {
      const decided = (rows: readonly Row[]) =>
        rows.map(({ outcome, version }) => `${outcome} ${version}`)
      const together = await inOneBatch(texts.map((text) => post(`${name}, together`, text)))
      const alone = await oneByOne(texts.map((text) => post(`${name}, alone`, text)))
      assert.deepEqual(decided(together), decided(alone))
      assert.equal(
        together.filter(({ outcome }) => outcome === 'dead').length,
        texts.filter((text) => text.includes('poison')).length,
      )
    })

  it('does not have the others judged again', async () => {
    batches.length = 0
    await inOneBatch([
      post('d', 'falls'),
      post('e', 'poison'),
      post('e', 'poison'),
      post('f', 'ok'),
    ])
    assert.deepEqual(batches, [3, 1])
  })

  it('is in a turn of few posts where they are long', async () => {
    batches.length = 0
    const long = 'falls '.repeat(3_000)
    await inOneBatch(Array.from({ length: 16 }, (_, i) => post(`long ${i}`, long)))
    assert.deepEqual(batches, [7, 7, 2])
  })

  it('a stop waits for no expert; the next start judges what was in hand, once', async () => {
    batches.length = 0
    const asked = new Promise<void>((resolve) => {
      answered = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    const waiting = inOneBatch([post('k', 'falls'), post('l', 'rises')])
    await asked
    await pipeline?.stop()
    assert.deepEqual(batches, [2])
    answered = async () => {}
    pipeline = await startPipeline()
    assert.deepEqual(
      (await waiting).map(({ outcome, version }) => `${outcome} ${version}`),
      ['scored 1', 'scored 1'],
    )
    assert.deepEqual(batches, [2, 2])
  })

  it('at the mark is recognised as the record of the log', async () => {
    await inOneBatch([post('last', 'poison')])
    await pipeline?.stop()
    pipeline = await startPipeline()
    assert.equal((await oneByOne([post('next', 'falls')]))[0]?.outcome, 'scored')
  })

  it('history waits behind live posts, unless some of its turn are live', async () => {
    heard.length = 0
    const history = { history: true }
    await inOneBatch([post('g', 'falls', history), post('h', 'falls', history)])
    await inOneBatch([post('i', 'falls', history), post('j', 'falls')])
    assert.deepEqual(heard, [
      { priority: 'history', withinMs: 20 },
      { priority: 'live', withinMs: 1 },
    ])
  })
})
