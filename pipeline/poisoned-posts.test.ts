/** Posts that make a step throw, on the real log and engine: they are dead, with a letter that says why, and nothing else is. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { AppError } from '../infra/errors.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { EmbeddedLog } from '../infra/log/embedded-log.ts'
import { topics } from '../infra/log/log.ts'
import { readAll } from '../infra/log/read-records.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import type { DeadLetter } from '../ingest/contract.ts'
import { createAnalyst } from './allocator/analyst.ts'
import { createCalibration } from './allocator/calibration.ts'
import { createStaticAllocator } from './allocator/static.ts'
import { createLinker } from './entities/link.ts'
import type { Linker } from './entities/mention.ts'
import { guarded } from './experts/breaker.ts'
import type { Expert } from './experts/expert.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { Gate } from './serving/gate.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-poison-'))
const logTopic = 'posts@0'

const post = {
  source: 'test',
  kind: 'news',
  text: '$FB falls',
  publishedAt: '2020-06-26T16:50:00Z',
}

/** Each word makes another step fail. */
const touchy: Expert = {
  name: 'touchy',
  version: '1',
  tasks: ['sentiment'],
  classify: async (batch) =>
    batch.map(({ text }) => {
      if (text.includes('expertbug')) throw new TypeError(`\u001b[31m${text}`)
      return { sentiment: text.includes('nonsense') ? [Number.NaN, 0, 0] : [0.2, 0.3, 0.5] }
    }),
  close: async () => {},
}

const linker = createLinker()
const brokenLinker: Linker = {
  ...linker,
  link(post, at) {
    if (post.text.includes('linkerbug')) throw new RangeError('no such instrument')
    const relevance = post.text.includes('infinite') ? Number.POSITIVE_INFINITY : 'no number'
    const mentions = linker.link(post, at)
    if (!/infinite|refused/.test(post.text)) return mentions
    return mentions.map((mention) => ({ ...mention, relevance: relevance as number }))
  },
}

describe('a post that makes a step throw', () => {
  let log: EmbeddedLog
  let store: Store
  let pipeline: Pipeline | undefined
  let expert: Expert
  let fatal: unknown
  let batches = 0
  /** How often nobody can judge. */
  let absences = 0

  async function startPipeline(): Promise<void> {
    const weights = { news: { touchy: 1 }, comment: { touchy: 1 } }
    expert = guarded(touchy, { logger })
    const analyst = createAnalyst({
      experts: [expert],
      allocator: createStaticAllocator({ weights, experts: [expert] }),
      calibration: createCalibration([]),
      referenceWeights: weights,
      onExpertFailure: (_, error) => {
        throw error
      },
    })
    const judgeUnlessAbsent: typeof analyst.judge = async (...call) => {
      if (absences === 0) return analyst.judge(...call)
      absences -= 1
      throw new AppError('NO_EXPERT', 'nobody is there', { retryable: true })
    }
    pipeline = createPipeline({
      log,
      store,
      logTopic,
      logger,
      clock: Date.now,
      flushMs: 1,
      limits: { maxBytes: 1e9, maxMs: 1e9 },
      withinMs: { live: 1_000, history: 1_000 },
      linker: brokenLinker,
      gate: new Gate(),
      labelRates: { share: 0, uniformShare: 0 },
      analyst: { ...analyst, judge: judgeUnlessAbsent },
      onFatal: (error) => {
        fatal = error
      },
    })
    await pipeline.start()
  }

  before(async () => {
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: Date.now, logger })
    await log.ensureTopics([topics.posts, topics.dead].map((name) => ({ name, partitions: 1 })))
    store = await openEmbeddedStore({ path: join(folder, 'store') })
  })

  after(async () => {
    await pipeline?.stop()
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function inOneBatch(words: readonly string[]): Promise<string[]> {
    await pipeline?.stop()
    batches += 1
    const values = words.map((word, i) => ({
      ...post,
      id: `batch ${batches}, ${i}`,
      text: `$FB ${word}`,
    }))
    const positions = await log.append(
      topics.posts,
      values.map((value) => ({ key: null, value: JSON.stringify(value) })),
    )
    await startPipeline()
    const offsets = positions.map(({ offset }) => offset)
    await stored(Math.max(...offsets))
    const rows = await store.query<{ post_id: string; outcome: string; reason: string }>(
      `SELECT post_id, outcome, reason FROM analyses
       WHERE ordinal = 0 AND offset IN {offsets:Array(Int64)} ORDER BY offset`,
      { offsets },
    )
    assert.deepEqual(
      rows.map(({ post_id }) => post_id),
      values.map(({ id }) => id),
    )
    return rows.map(({ outcome, reason }) => `${outcome} ${reason}`.trim())
  }

  async function stored(offset: number): Promise<void> {
    const until = performance.now() + 60_000
    while ((await store.mark({ logTopic, partition: 0 })) < offset) {
      assert.equal(fatal, undefined)
      assert.ok(performance.now() < until, `offset ${offset} is not stored`)
    }
  }

  async function newestLetter(): Promise<DeadLetter> {
    const records = await readAll(log, topics.dead)
    return JSON.parse(records.at(-1)?.value.toString() ?? '')
  }

  const cases = [
    { word: 'expertbug', class: 'expert', reason: 'the expert touchy fails on it' },
    { word: 'nonsense', class: 'expert', reason: 'the expert touchy fails on it' },
    { word: 'linkerbug', class: 'judging', reason: 'judging it fails: RangeError' },
    {
      word: 'infinite',
      class: 'store',
      reason:
        'the store refuses its rows: The column relevance of a row holds Infinity, not a finite number',
    },
    {
      word: 'refused',
      class: 'store',
      reason: 'the store refuses its rows: CANNOT_PARSE_NUMBER',
    },
  ]
  for (const { word, class: expected, reason } of cases)
    it(`is dead alone: ${word}`, async () => {
      const outcomes = await inOneBatch(['falls', 'rises', word, 'falls', 'rises'])
      assert.deepEqual(outcomes, ['scored', 'scored', `dead ${reason}`, 'scored', 'scored'])
      const letter = await newestLetter()
      assert.equal(letter.reason, reason)
      assert.equal(letter.class, expected)
      assert.equal(letter.postId, `batch ${batches}, 2`)
      assert.equal(letter.source, 'test')
      assert.match(letter.stack ?? '', /Error/)
      assert.ok(!letter.stack?.includes('\u001b'))
      assert.equal(letter.expert, expected === 'expert' ? 'touchy' : undefined)
    })

  it('is dead alone in its batch too, and at both ends of one', async () => {
    assert.match((await inOneBatch(['linkerbug'])).join(), /^dead/)
    assert.match((await inOneBatch(['refused'])).join(), /^dead/)
    assert.deepEqual(
      (await inOneBatch(['refused', 'falls', 'expertbug', 'linkerbug', 'rises', 'infinite'])).map(
        (outcome) => outcome.split(' ')[0],
      ),
      ['dead', 'scored', 'dead', 'dead', 'scored', 'dead'],
    )
  })

  it('leaves one letter although its batch is judged again and again', async () => {
    await pipeline?.stop()
    absences = 3
    const values = ['{"id": "no post"', JSON.stringify({ ...post, id: 'beside it' })]
    const positions = await log.append(
      topics.posts,
      values.map((value) => ({ key: null, value })),
    )
    await startPipeline()
    await stored(positions.at(-1)?.offset ?? -1)
    assert.equal(absences, 0)
    const origin = `${logTopic}/0/${positions[0]?.offset}`
    const letters = await readAll(log, topics.dead)
    assert.equal(letters.filter(({ key }) => key?.toString() === origin).length, 1)
  })

  it('cuts no expert off, however many there are', async () => {
    for (let round = 0; round < 4; round++) await inOneBatch(['expertbug', 'falls'])
    assert.equal(expert.health?.(), undefined)
  })

  it('is recognised at the mark', async () => {
    await inOneBatch(['refused'])
    await inOneBatch(['linkerbug'])
    assert.deepEqual(await inOneBatch(['falls']), ['scored'])
  })
})
