/** A cluster as it is run: each role in a process of its own, on a real Kafka broker and ClickHouse's HTTP interface. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { forwardedRoutes } from '../dashboards/forwarding.ts'
import { type Broker, brokerMissing, startBroker } from '../infra/log/broker.fixture.ts'
import { type FrontProcess, startFrontProcess } from '../infra/store/http-front.fixture.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startProcess,
  stopMonitor,
  withoutEncoder,
} from './monitor-process.fixture.ts'

const betweenQuestionsMs = 50

const texts = {
  down: '$BA shares fall as deliveries slip again and losses widen',
  up: 'Apple $AAPL beats estimates, raises its dividend and profit outlook',
  flat: 'The board of $MSFT meets on Tuesday',
}

const post = ([id, text]: readonly [string, string]) => ({
  id,
  source: 'desk',
  kind: 'news',
  text,
  publishedAt: '2026-03-02T12:00:00Z',
})

interface FeedAnswer {
  readonly posts: readonly { readonly postId: string; readonly score: number }[]
}

const get = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T

/** Asks until the answer is as wanted. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (wanted(answer)) return answer
    await delay(betweenQuestionsMs)
  }
}

describe('a cluster', { skip: brokerMissing(), timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-cluster-'))
  const running: MonitorProcess[] = []
  let broker: Broker
  let front: FrontProcess
  let env: Readonly<Record<string, string>>
  let pipeline: MonitorProcess
  let urls: Record<'ingest' | 'pipeline' | 'alerts' | 'pages', string>

  function run(role: string, settings: Readonly<Record<string, string>> = {}): MonitorProcess {
    const started = startProcess(['run', role], { ...env, ...settings })
    running.push(started)
    return started
  }

  before(async () => {
    const starting = startBroker()
    front = await startFrontProcess({ path: join(folder, 'store') })
    broker = await starting
    env = {
      ...withoutEncoder,
      ALLOCATOR_STRATEGY: 'static',
      KAFKA_BROKERS: broker.address,
      KAFKA_TOPIC_PREFIX: 'cluster.',
      CLICKHOUSE_URL: front.url,
      LOG_PARTITIONS: '2',
      PIPELINE_FLUSH_MS: '100',
    }
    pipeline = run('pipeline')
    const [ingest, scoring, alerts] = await Promise.all([
      run('ingest').url,
      pipeline.url,
      run('alerts').url,
    ])
    const pages = run('dashboards', {
      FORWARD_INGEST_URL: ingest,
      FORWARD_PIPELINE_URL: scoring,
      FORWARD_ALERTS_URL: alerts,
    })
    urls = { ingest, pipeline: scoring, alerts, pages: await pages.url }
  })

  after(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ exited }) => exited))
    await front?.stop()
    await broker?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('scores what is pushed to the address of the pages, and shows it there', async () => {
    const { pages } = urls
    const pushed = await pushPosts(pages, Object.entries(texts).map(post))
    assert.equal(pushed.status, 202, await pushed.text())
    const { posts } = await until(
      () => get<FeedAnswer>(`${pages}/api/posts`),
      (feed) => feed.posts.length === 3,
    )
    const scores = new Map(posts.map(({ postId, score }) => [postId, score]))
    assert.ok((scores.get('down') ?? 0) < -0.2 && (scores.get('up') ?? 0) > 0.2)
    await caughtUp(pages)
    assert.match(await (await fetch(pages)).text(), /<title>Tickertone/)
    const { versions } = await get<{ versions: Record<string, string> }>(`${pages}/api/status`)
    assert.deepEqual(Object.keys(versions).toSorted(), ['lexicon', 'linear', 'tickertone'])
  })
})
