/** Promotion through the role and its routes, with experts that ship. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { answerError } from '../../dashboards/http-errors.ts'
import { loadConfig } from '../../infra/config.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { createLinker } from '../entities/link.ts'
import { type PipelineRole, startPipelineRole } from '../main.ts'
import type { ServingStatus, ShadowReport } from '../routes/experts.ts'
import { temporaryFolder } from './world.fixture.ts'

const logTopic = 'posts@0'
const configOf = (env: Readonly<Record<string, string>>) => ({
  ...loadConfig({ env: { PIPELINE_EXPERTS: 'linear', ...env } }).pipeline,
  flushMs: 10,
})
const config = configOf({ SHADOW_EXPERT: 'lexicon', SHADOW_SHARE: '0.5' })

describe('the role pipeline with a shadow', () => {
  const folder = temporaryFolder()
  let log: EmbeddedLog
  let store: Store
  let role: PipelineRole
  let app: FastifyInstance

  async function start(settings = config): Promise<void> {
    const clock = Date.now
    role = await startPipelineRole({
      log,
      linker: createLinker(),
      store,
      logTopic,
      config: settings,
      clock,
      logger,
      onFatal: assert.ifError,
    })
    app = fastify()
    app.setErrorHandler(answerError)
    await app.register(role.plugin)
  }

  async function stop(): Promise<void> {
    await app.close()
    await role.stop()
  }

  before(async () => {
    log = createEmbeddedLog({ path: join(folder.path, 'log'), clock: Date.now, logger })
    const names = [topics.posts, topics.dead, topics.feedback, topics.control]
    await log.ensureTopics(names.map((name) => ({ name, partitions: 1 })))
    store = await openEmbeddedStore({ path: join(folder.path, 'store') })
    await start()
    await push(texts)
  })
  after(async () => {
    await stop()
    await log.close()
    await store.close()
    folder.remove()
  })

  const texts = [
    ...Array.from({ length: 38 }, (_, i) => ({
      text: `$FB had a terrible, awful day number ${i}`,
    })),
    { text: 'Der Umsatz ist im dritten Quartal um zehn Prozent gestiegen', language: 'de' },
    { id: 'post-0', text: '$FB had a terrible, awful day number 0' },
  ]

  async function push(posts: readonly object[]): Promise<void> {
    const records = posts.map((post, i) => ({
      key: null,
      value: JSON.stringify({
        id: `post-${i}`,
        source: 'test',
        kind: 'news',
        publishedAt: '2026-11-24T10:00:00Z',
        ...post,
      }),
    }))
    const positions = await log.append(topics.posts, [...records, { key: null, value: 'no post' }])
    while ((await store.mark({ logTopic, partition: 0 })) < (positions.at(-1)?.offset ?? 0));
  }

  const voters = async () =>
    store.query<{ voters: string[]; posts: number }>(
      `SELECT arraySort(arrayDistinct(arrayFilter((name, ran, shadow) -> ran AND NOT shadow, experts.name, experts.ran, experts.shadow))) AS voters,
              count() AS posts
       FROM served_v WHERE ordinal = 0 AND outcome = 'scored' GROUP BY voters`,
    )

  async function promote(body: object) {
    return app.inject({
      method: 'POST',
      url: '/api/experts/lexicon/promote',
      payload: { by: 'ada', ...body },
    })
  }

  async function settled(): Promise<ServingStatus> {
    while (true) {
      const status = (await app.inject('/api/experts/serving')).json<ServingStatus>()
      if (status.change?.state === 'done' || status.change?.state === 'failed') return status
      await new Promise(setImmediate)
    }
  }

  it('tells the agreement of the shadow on its share, which votes on nothing', async () => {
    const { shadow } = (await app.inject('/api/experts/shadow')).json<{ shadow: ShadowReport }>()
    const [sentiment] = shadow.figures
    assert.deepEqual([shadow.expert, shadow.votes, shadow.share], ['lexicon', false, 0.5])
    assert.ok(sentiment !== undefined && sentiment.posts > 5 && sentiment.posts < 33)
    assert.equal(sentiment.agreement.n, sentiment.posts)
    assert.equal(sentiment.agreementWith.linear?.n, sentiment.posts)
    assert.deepEqual(sentiment.shadowAccuracy, { n: 0, share: null, interval: null })
    assert.deepEqual(await voters(), [{ voters: ['linear'], posts: 38 }])
  })

  const refused = [
    { name: 'too few labels', body: {}, status: 409 },
    { name: 'nobody who does it', body: { by: '' }, status: 400 },
    { name: 'a window of no days', body: { days: 0 }, status: 400 },
  ]
  for (const { name, body, status } of refused)
    it(`refuses ${name}`, async () => {
      assert.equal((await promote(body)).statusCode, status)
      assert.equal(
        (await app.inject('/api/experts/serving')).json<ServingStatus>().controlOffset,
        -1,
      )
    })

  it('re-scores the past and lets the shadow vote', async () => {
    // Erased since it was scored.
    await store.command(
      "ALTER TABLE analyses UPDATE text = '' WHERE post_id = 'post-3' SETTINGS mutations_sync = 1",
    )
    assert.equal((await promote({ force: true })).statusCode, 202)
    const { change, experts, promotions } = await settled()
    assert.deepEqual([change?.error, experts], ['', ['linear', 'lexicon']])
    assert.deepEqual(
      promotions.map(({ expert, forced, by }) => [expert, forced, by]),
      [['lexicon', true, 'ada']],
    )
    await push(texts.slice(0, 1).map((post) => ({ ...post, id: 'later' })))
    assert.deepEqual(
      (await voters()).sort((a, b) => a.posts - b.posts),
      [
        { voters: ['linear'], posts: 1 },
        { voters: ['lexicon', 'linear'], posts: 38 },
      ],
    )
  })

  it('keeps what is no scored text as it was', async () => {
    const outcomes = (table: string) =>
      store.query(
        `SELECT outcome, reason, version, post_id, count() AS rows FROM ${table} WHERE offset <= 40 AND ordinal = 0 AND (outcome != 'scored' OR text = '')
         GROUP BY ALL ORDER BY ALL`,
      )
    assert.deepEqual(await outcomes('rescored'), await outcomes('analyses'))
    assert.equal((await outcomes('rescored')).length, 4)
  })

  it('votes again after a restart, and is missed when it is not loaded', async () => {
    await stop()
    await assert.rejects(start(configOf({})), {
      code: 'PROMOTION',
      message: /lexicon votes since it was promoted/,
    })
    await start()
    assert.deepEqual((await app.inject('/api/experts/serving')).json<ServingStatus>().experts, [
      'linear',
      'lexicon',
    ])
  })
})
