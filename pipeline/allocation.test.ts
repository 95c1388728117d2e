/** The allocator in the pipeline as it runs, on the real log and engine: experts that fail and come back, streams that are switched, rows that explain themselves. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type FastifyInstance, fastify } from 'fastify'
import { loadConfig } from '../infra/config.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { EmbeddedLog } from '../infra/log/embedded-log.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { createAnalyst } from './allocator/analyst.ts'
import { createCalibration } from './allocator/calibration.ts'
import { type Explanation, explain } from './allocator/explain.ts'
import { createStaticAllocator } from './allocator/static.ts'
import type { Backlog } from './backlog.ts'
import type { AnalysisRow } from './contract.ts'
import { createLinker } from './entities/link.ts'
import { guarded } from './experts/breaker.ts'
import type { Expert } from './experts/expert.ts'
import { type PipelineRole, startPipelineRole } from './main.ts'
import { createPipeline } from './pipeline.ts'
import type { Allocation } from './routes/allocation.ts'
import { Gate } from './serving/gate.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-allocation-'))
const logTopic = 'posts@0'
const config = (env: Record<string, string> = {}) => ({
  ...loadConfig({ env: { PIPELINE_EXPERTS: 'linear,lexicon', ...env } }).pipeline,
  flushMs: 10,
})

describe('the allocator in the pipeline', () => {
  let log: EmbeddedLog
  let store: Store
  let appended = 0

  before(async () => {
    log = createEmbeddedLog({
      path: join(folder, 'log'),
      clock: Date.now,
      logger,
      backoff: { firstMs: 1, maxMs: 10 },
    })
    await log.ensureTopics(
      [topics.posts, topics.dead, topics.control].map((name) => ({ name, partitions: 1 })),
    )
    store = await openEmbeddedStore({ path: join(folder, 'store') })
  })
  after(async () => {
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Resolves with the offset of the last one. */
  async function append(posts: readonly object[]): Promise<number> {
    const records = posts.map((fields) => ({
      key: null,
      value: JSON.stringify({
        id: `post ${appended++}`,
        source: 'desk',
        kind: 'news',
        text: '$FB falls as advertisers leave',
        publishedAt: '2020-06-26T16:50:00Z',
        ...fields,
      }),
    }))
    return (await log.append(topics.posts, records)).at(-1)?.offset ?? -1
  }

  const stored = () => store.mark({ logTopic, partition: 0 })

  async function rowsAfter(posts: readonly object[]): Promise<AnalysisRow[]> {
    const last = await append(posts)
    while ((await stored()) < last);
    return rowsFrom(last - posts.length + 1)
  }

  const rowsFrom = (offset: number) =>
    store.query<AnalysisRow>(
      'SELECT * FROM analyses WHERE ordinal = 0 AND offset >= {offset:Int64} ORDER BY offset',
      { offset },
    )

  it('writes and loses nothing while every expert is cut off, and goes on when one is back', async (t) => {
    const up = new Set<string>()
    const backlogs: Backlog[] = []
    const unavailable = new Map<string, () => void>()
    const scripted = (name: string): Expert => ({
      name,
      version: '1',
      tasks: ['sentiment'],
      classify: async (batch) => {
        if (!up.has(name)) throw new Error(`${name} is down`)
        return batch.map(() => ({ sentiment: [0.5, 0.25, 0.25] }))
      },
      close: async () => {},
    })
    const names = ['linear', 'lexicon']
    const cutOff = Promise.all(
      names.map((name) => new Promise<void>((resolve) => unavailable.set(name, resolve))),
    )
    const experts = names.map((name) =>
      guarded(scripted(name), {
        logger,
        options: { restMs: 5, maxRestMs: 5 },
        onCircuit: (circuit) => circuit === 'open' && unavailable.get(name)?.(),
      }),
    )
    const weights = { linear: 0.5, lexicon: 0.5 }
    const refusals: unknown[] = []
    const pipeline = createPipeline({
      log,
      store,
      logTopic,
      logger,
      clock: Date.now,
      flushMs: 1,
      limits: { maxBytes: 1e9, maxMs: 1e9 },
      withinMs: { live: 1_000, history: 1_000 },
      linker: createLinker(),
      gate: new Gate(),
      labelRates: { share: 0, uniformShare: 1 },
      analyst: createAnalyst({
        experts,
        allocator: createStaticAllocator({ weights: { news: weights, comment: weights }, experts }),
        calibration: createCalibration([]),
        referenceWeights: { news: weights, comment: weights },
        onExpertFailure: () => {},
      }),
      onFatal: (error) => assert.fail(String(error)),
      onHealth: (_partition, error) => error !== undefined && refusals.push(error),
      onBacklog: (backlog) => backlogs.push(backlog),
    })
    t.after(() => pipeline.stop())
    await pipeline.start()
    const last = await append([{}, {}, {}, {}, {}])
    await cutOff
    assert.equal(await stored(), -1)
    assert.deepEqual(await rowsFrom(0), [])
    assert.ok(refusals.length > 0)
    assert.deepEqual(
      new Set(refusals.map((error) => (error as { code?: string }).code)),
      new Set(['NO_EXPERT']),
    )
    assert.equal(backlogs.at(-1)?.posts, 5)

    up.add('lexicon')
    while ((await stored()) < last);
    await pipeline.stop()
    const rows = await rowsFrom(0)
    assert.deepEqual(
      rows.map(({ offset, outcome, degraded }) => [Number(offset), outcome, degraded]),
      [0, 1, 2, 3, 4].map((offset) => [offset, 'scored', true]),
    )
    assert.deepEqual(rows[0]?.['experts.ran'], [false, true])
    assert.deepEqual(await log.endOffsets(topics.dead), [0])
    assert.equal(backlogs.at(-1)?.posts, 0)
  })

  let role: PipelineRole
  let server: FastifyInstance

  async function start(env?: Record<string, string>): Promise<void> {
    role = await startPipelineRole({
      log,
      linker: createLinker(),
      store,
      logTopic,
      config: config(env),
      clock: Date.now,
      logger,
      onFatal: (error) => assert.fail(String(error)),
    })
    server = fastify()
    await server.register(role.plugin)
  }

  async function stop(): Promise<void> {
    await server.close()
    await role.stop()
  }

  const put = (body: object) =>
    server.inject({ method: 'PUT', url: '/api/allocation', payload: body })
  const allocation = async () => (await server.inject('/api/allocation')).json() as Allocation

  it('judges by the streams of the config, and by others as soon as they are asked for', async (t) => {
    await start({ ALLOCATOR_STRATEGY: 'static', ALLOCATOR_STREAMS: 'kind=comment:dynamic' })
    t.after(stop)
    const strategies = async () =>
      (await rowsAfter([{}, { kind: 'comment' }, { source: 'wire' }])).map(
        ({ strategy, fusion }) => `${strategy}/${fusion}`,
      )
    assert.deepEqual(await strategies(), ['static/average', 'dynamic/average', 'static/average'])
    assert.equal((await allocation()).controlOffset, -1)

    const answer = await put({ streams: ['source=wire:static/vote'], strategy: 'dynamic' })
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(await strategies(), ['dynamic/average', 'dynamic/average', 'static/vote'])
    const shown = await allocation()
    assert.deepEqual(shown, {
      ...answer.json(),
      strategies: shown.strategies,
      experts: shown.experts,
      budget: shown.budget,
      stream: shown.stream,
    })
    assert.deepEqual(
      [shown.strategy, shown.fusion, shown.streams],
      ['dynamic', 'average', ['source=wire:static/vote']],
    )
    assert.equal(shown.strategies.dynamic?.posts, 3)
    assert.equal(shown.strategies.static?.runs.linear, 1)
    assert.deepEqual(
      shown.experts.map(({ name, circuit, failure }) => [name, circuit, failure]),
      [
        ['linear', 'closed', null],
        ['lexicon', 'closed', null],
      ],
    )
  })

  it('uses the last streams after a restart, whatever the config says, and passes over records of others', async (t) => {
    const junk = ['no json', '{"type":"serving"}', '{"type":"allocation.streams","streams":7}']
    // Of an instance that has an encoder.
    const elsewhere = {
      type: 'allocation.streams',
      strategy: 'multitask',
      fusion: 'vote',
      streams: [],
    }
    await log.append(
      topics.control,
      [...junk, JSON.stringify(elsewhere)].map((value) => ({ key: null, value })),
    )
    await start({ ALLOCATOR_STRATEGY: 'static' })
    t.after(stop)
    const { strategy, streams, controlOffset } = await allocation()
    assert.deepEqual(
      [strategy, streams, controlOffset],
      ['dynamic', ['source=wire:static/vote'], 0],
    )
  })

  const refused: readonly { name: string; body: object; why: RegExp }[] = [
    { name: 'a stream that is none', body: { streams: ['desk'] }, why: /'desk' names no strategy/ },
    {
      name: 'multitask without an encoder',
      body: { streams: ['kind=news:multitask'] },
      why: /needs an encoder/,
    },
    { name: 'a strategy that is none', body: { streams: [], strategy: 'best' }, why: /strategy/ },
    { name: 'no streams', body: { strategy: 'static' }, why: /streams/ },
  ]
  it('refuses streams that cannot be had, and appends nothing', async (t) => {
    await start()
    t.after(stop)
    const before = await log.endOffsets(topics.control)
    for (const { name, body, why } of refused) {
      const answer = await put(body)
      assert.equal(answer.statusCode >= 400 && answer.statusCode !== 404, true, name)
      assert.match(answer.body, why, name)
    }
    assert.deepEqual(await log.endOffsets(topics.control), before)
  })

  it('does not start with streams that cannot be had', async () => {
    await assert.rejects(start({ ALLOCATOR_STREAMS: 'kind=comment:multitask' }), { code: 'CONFIG' })
    await assert.rejects(start({ SHADOW_EXPERT: 'linear' }), { code: 'CONFIG' })
    await assert.rejects(start({ SHADOW_EXPERT: 'nobody' }), { code: 'CONFIG' })
  })

  it('leaves rows that repeat their own numbers, bit for bit', async (t) => {
    await start({ PIPELINE_EXPERTS: 'linear', SHADOW_EXPERT: 'lexicon' })
    t.after(stop)
    const texts = [
      'Apple shares jump after earnings beat estimates',
      'Bank cuts its forecast; shares plunge 12%',
      'Oil little changed',
      '$TSLA to the moon 🚀',
      'x',
    ]
    const streams = ['static/average', 'static/vote', 'static/stacking', 'dynamic/stacking'].map(
      (strategy, i) => `source=desk${i}:${strategy}`,
    )
    await put({ streams })
    const rows = await rowsAfter(
      texts.flatMap((text) =>
        streams.flatMap((_, i) =>
          (['news', 'comment'] as const).map((kind) => ({ text, kind, source: `desk${i}` })),
        ),
      ),
    )
    assert.equal(
      new Set(rows.map(({ strategy, fusion }) => `${strategy}/${fusion}`)).size > 2,
      true,
    )
    for (const row of rows) {
      const url = `/api/explain/${encodeURIComponent(row.post_id)}?version=1`
      const found = (await server.inject(url)).json() as Explanation
      assert.equal(found.equal, true, JSON.stringify(found))
      assert.deepEqual(
        found.tasks.map(({ task, equal, doubt }) => [task, equal, doubt]),
        [
          ['sentiment', true, ''],
          ['topic', true, ''],
        ],
      )
    }
    assert.equal((await server.inject('/api/explain/unknown')).statusCode, 404)
    assert.equal((await server.inject('/api/explain/post%200?version=7')).statusCode, 404)

    const [row] = rows
    assert.ok(row !== undefined)
    const changes: readonly Partial<AnalysisRow>[] = [
      { negative: Math.fround(row.negative) + 2 ** -20 },
      { score: row.score + 0.001 },
      { topic: 'Politics' },
      { sentiment_temperature: row.sentiment_temperature * 1.01 },
      { sentiment_temperature: 0 },
      { fusion: 'median' },
    ]
    for (const change of changes)
      assert.equal(explain({ ...row, ...change }, undefined).equal, false, JSON.stringify(change))
  })
})
