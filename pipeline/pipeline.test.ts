/** The pipeline on the real log, engine and experts: what each kind of record leaves in the table. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fastify } from 'fastify'
import { loadConfig } from '../infra/config.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { EmbeddedLog } from '../infra/log/embedded-log.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import type { AnalysisRow } from './contract.ts'
import { createLinker } from './entities/link.ts'
import { type PipelineRole, startPipelineRole } from './main.ts'
import type { Allocation } from './routes/allocation.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-pipeline-'))
const dayMs = 86_400_000
const logTopic = 'posts@0'
const config = {
  ...loadConfig({
    env: { PIPELINE_EXPERTS: 'linear,lexicon', PIPELINE_WEIGHT_NEWS_LEXICON: '0' },
  }).pipeline,
  flushMs: 10,
}

const boycott = '$FB falls as advertisers leave Facebook over hate speech'

const post = (fields: Readonly<Record<string, unknown>> = {}) => ({
  id: 'boycott',
  source: 'test',
  kind: 'news',
  text: boycott,
  publishedAt: '2020-06-26T16:50:00Z',
  ...fields,
})

describe('pipeline', () => {
  let now = Date.parse('2026-03-02T12:00:00Z')
  let log: EmbeddedLog
  let store: Store
  let pipeline: PipelineRole
  let failed: unknown

  const startPipeline = () =>
    startPipelineRole({
      log,
      linker: createLinker(),
      store,
      logTopic,
      config,
      clock: () => now,
      logger,
      onFatal: (error) => {
        failed = error
      },
    })

  before(async () => {
    log = createEmbeddedLog({ path: join(folder, 'log'), clock: () => now, logger })
    await log.ensureTopics([
      { name: topics.posts, partitions: 1 },
      { name: topics.dead, partitions: 1 },
      { name: topics.control, partitions: 1 },
    ])
    store = await openEmbeddedStore({ path: join(folder, 'store') })
    pipeline = await startPipeline()
  })

  after(async () => {
    await pipeline.stop()
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Appends one record and waits for its rows. */
  async function rowsAfter(value: unknown): Promise<AnalysisRow[]> {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const [position] = await log.append(topics.posts, [{ key: null, value: text }])
    while ((await store.mark({ logTopic, partition: 0 })) < (position?.offset ?? 0)) {
      assert.equal(failed, undefined)
    }
    return store.query<AnalysisRow>(
      'SELECT * FROM analyses WHERE offset = {offset:Int64} ORDER BY ordinal',
      { offset: position?.offset },
    )
  }

  it('scores a post, links its instruments once, and says who judged', async () => {
    const rows = await rowsAfter(post())
    const [scored, mention, ...more] = rows
    assert.equal(more.length, 0)
    assert.equal(scored?.outcome, 'scored')
    assert.equal(scored?.version, 1)
    assert.equal(scored?.published_at, '2020-06-26 16:50:00.000')
    assert.equal(scored?.appended_at, '2026-03-02 12:00:00.000')
    assert.ok((scored?.negative ?? 0) > 0.5, `negative ${scored?.negative}`)
    assert.deepEqual(new Set(scored?.['experts.name']), new Set(['linear', 'lexicon']))
    assert.equal(mention?.ordinal, 1)
    assert.equal(mention?.ticker, '$FB')
    assert.equal(mention?.instrument, 'cik:1326801')
    assert.equal(mention?.negative, scored?.negative)
  })

  it('keeps the reference score from the weights of the config', async () => {
    const [scored] = await rowsAfter(post({ id: 'reference' }))
    assert.equal(scored?.['experts.weight'].at(-1), 0)
    assert.ok(Math.abs((scored?.score ?? 0) - (scored?.reference_score ?? 0)) > 1e-4)
  })

  it('links an instrument as it was named when the text was first published', async () => {
    const replayed = post({
      id: 'replayed',
      publishedAt: '2026-03-02T12:00:00Z',
      originalPublishedAt: '2020-06-26T16:50:00Z',
    })
    assert.equal((await rowsAfter(replayed))[1]?.instrument, 'cik:1326801')
    const tooEarly = post({ id: 'early', text: '$META falls', publishedAt: '2014-01-02T00:00:00Z' })
    assert.equal((await rowsAfter(tooEarly))[1]?.instrument, 'unresolved:META')
  })

  it('tells a repeat from a new version, for 30 days', async () => {
    const seen: [string, number][] = []
    const push = async (fields: Readonly<Record<string, unknown>> = {}) => {
      const [row] = await rowsAfter(post({ id: 'versions', ...fields }))
      seen.push([row?.outcome ?? '', row?.version ?? 0])
    }
    await push()
    await push()
    await push({ text: `${boycott}, and more do` })
    await push({ text: `${boycott}, and more do`, status: 'withdrawn' })
    await push()
    now += 31 * dayMs
    await push()
    assert.deepEqual(seen, [
      ['scored', 1],
      ['duplicate', 1],
      ['scored', 2],
      ['scored', 3],
      ['scored', 4],
      ['scored', 5],
    ])
  })

  it('recognises repeats inside one batch', async () => {
    const values = [post({ id: 'twin' }), post({ id: 'twin' }), post({ id: 'twin', text: 'Other' })]
    await pipeline.stop()
    const positions = await log.append(
      topics.posts,
      values.map((value) => ({ key: 'twin', value: JSON.stringify(value) })),
    )
    pipeline = await startPipeline()
    await rowsAfter(post({ id: 'after' }))
    const rows = await store.query(
      'SELECT outcome, version FROM analyses WHERE ordinal = 0 AND offset IN {offsets:Array(Int64)} ORDER BY offset',
      { offsets: positions.map(({ offset }) => offset) },
    )
    assert.deepEqual(rows, [
      { outcome: 'scored', version: 1 },
      { outcome: 'duplicate', version: 1 },
      { outcome: 'scored', version: 2 },
    ])
  })

  const refused: readonly { name: string; value: unknown; reason: RegExp }[] = [
    { name: 'no JSON', value: '{"id": "x"', reason: /not valid JSON/ },
    { name: 'NaN', value: '{"id": NaN}', reason: /not valid JSON/ },
    { name: 'an array', value: [post()], reason: /must be a JSON object/ },
    { name: 'a missing text', value: { ...post(), text: undefined }, reason: /^missing: text$/ },
    { name: 'a wrong type', value: post({ text: 7 }), reason: /^text: / },
    { name: 'a text too long', value: post({ text: 'x'.repeat(20_001) }), reason: /^text: / },
    {
      name: 'an impossible date',
      value: post({ publishedAt: '2020-02-30T00:00:00Z' }),
      reason: /existing day/,
    },
    {
      name: 'a post from the future',
      value: post({ publishedAt: '2030-01-01T00:00:00Z' }),
      reason: /ahead of its arrival/,
    },
    { name: '10 MB', value: `{"id":"${'x'.repeat(10_000_000)}"}`, reason: /larger than/ },
  ]
  for (const { name, value, reason } of refused) {
    it(`buries ${name} with its reason, and goes on`, async () => {
      const [dead, ...more] = await rowsAfter(value)
      assert.equal(more.length, 0)
      assert.equal(dead?.outcome, 'dead')
      assert.match(dead?.reason ?? '', reason)
      const letters = await deadLetters()
      const origin = `${logTopic}/0/${dead?.offset}`
      assert.equal(letters.filter((letter) => letter.origin === origin).length, 1)
      assert.equal(letters.at(-1)?.reason, dead?.reason)
      assert.equal((await rowsAfter(post({ id: `after ${name}` })))[0]?.outcome, 'scored')
    })
  }

  async function deadLetters(): Promise<{ origin: string; reason: string }[]> {
    const [end = 0] = await log.endOffsets(topics.dead)
    const letters: { origin: string; reason: string }[] = []
    await new Promise<void>((resolve, reject) => {
      const following = log.follow(topics.dead, [0], async ({ records, next }) => {
        for (const record of records) letters.push(JSON.parse(record.value.toString()))
        if (next >= end) void following.then((follower) => follower.stop()).then(resolve, reject)
      })
    })
    return letters
  }

  const accepted: readonly { name: string; text: string; stored?: string }[] = [
    { name: 'null bytes', text: '$FB\u0000 falls' },
    { name: 'right-to-left and zero-width characters', text: '\u202e$FB\u200b falls\u2066' },
    { name: 'HTML and script', text: '<script>alert(1)</script> $FB <b>falls</b>' },
    { name: 'SQL', text: "'); DROP TABLE analyses; -- $FB" },
    { name: 'a lone surrogate, repaired', text: '$FB \ud83d falls', stored: '$FB \ufffd falls' },
    { name: 'emoji and umlauts', text: '$FB falls 📉 over „Brünn“ boycott' },
    { name: '20,000 characters', text: `$FB ${'falls '.repeat(3_332)}now` },
  ]
  for (const { name, text, stored = text } of accepted) {
    it(`keeps ${name} unchanged`, async () => {
      const [row] = await rowsAfter(post({ id: `kept ${name}`, text }))
      assert.equal(row?.outcome, 'scored')
      assert.equal(row?.text, stored)
    })
  }

  it('stores what no expert reads as unsupported', async () => {
    const [row, ...mentions] = await rowsAfter(
      post({ id: 'zh', text: '脸书股价因广告商抵制而下跌' }),
    )
    assert.equal(row?.outcome, 'unsupported')
    assert.equal(row?.language, 'zh')
    assert.equal(row?.language_confidence, 1)
    assert.equal(mentions.length, 0)
  })

  it('recognises a language that the source does not declare, and says how surely', async () => {
    const text = '$FB Die Aktie fällt nach den Zahlen deutlich'
    const [recognised] = await rowsAfter(post({ id: 'de', text }))
    assert.equal(recognised?.outcome, 'unsupported')
    assert.equal(recognised?.reason, "no expert reads 'de'")
    assert.ok((recognised?.language_confidence ?? 0) > 0.97)
    const [declared] = await rowsAfter(post({ id: 'declared', text, language: 'en' }))
    assert.equal(declared?.outcome, 'scored')
    assert.equal(declared?.language_confidence, 1)
  })

  it('shows the monitor of the stream what it has stored, but for history', async () => {
    await rowsAfter(post({ id: 'watched', kind: 'comment' }))
    await rowsAfter(post({ id: 'past', kind: 'comment', history: true }))
    // A batch is shown before the next one begins.
    await rowsAfter(post({ id: 'next' }))
    const server = fastify()
    await server.register(pipeline.plugin)
    const { stream } = (await server.inject('/api/allocation')).json() as Allocation
    await server.close()
    const comments = stream.filter(({ kind }) => kind === 'comment')
    assert.deepEqual(
      comments.map(({ language, posts, lastChange }) => [language, posts, lastChange]),
      [
        ['any', 1, null],
        ['en', 1, null],
      ],
    )
    assert.deepEqual(comments[1]?.signals[0], {
      signal: 'sentiment negative',
      phase: 'learning',
      reference: null,
      window: null,
      strain: 0,
      shifts: 0,
    })
  })

  it('stops with LOG_REPLACED when the log is another one', async () => {
    await pipeline.stop()
    await log.close()
    log = createEmbeddedLog({ path: join(folder, 'other-log'), clock: () => now, logger })
    await log.ensureTopics([
      { name: topics.posts, partitions: 1 },
      { name: topics.dead, partitions: 1 },
      { name: topics.control, partitions: 1 },
    ])
    await assert.rejects(startPipeline(), {
      code: 'LOG_REPLACED',
      message: /tickertone epoch start posts/,
    })
  })

  it('notices a replaced log by its record, however long it is', async () => {
    const mark = await store.mark({ logTopic, partition: 0 })
    const records = Array.from({ length: mark + 10 }, (_, index) => ({
      key: null,
      value: JSON.stringify(post({ id: `other ${index}` })),
    }))
    await log.append(topics.posts, records)
    await assert.rejects(startPipeline(), { code: 'LOG_REPLACED' })
    assert.equal(await store.mark({ logTopic, partition: 0 }), mark)
  })
})
