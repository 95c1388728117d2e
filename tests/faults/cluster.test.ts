/** A cluster as it is run: each role in a process of its own, on a real Kafka broker and ClickHouse's HTTP interface. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { forwardedRoutes } from '../../dashboards/forwarding.ts'
import { type Broker, brokerMissing, startBroker } from '../../infra/log/broker.fixture.ts'
import { type FrontProcess, startFrontProcess } from '../../infra/store/http-front.fixture.ts'
import {
  caughtUp,
  type MonitorProcess,
  pushPosts,
  runCommand,
  startProcess,
  stopMonitor,
  withoutEncoder,
} from '../monitor-process.fixture.ts'

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

/** Of a step: what does not come about would be waited for. */
const timeout = 30_000

describe('a cluster', { skip: brokerMissing() }, () => {
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

  it('scores what is pushed to the address of the pages, and shows it there', {
    timeout,
  }, async () => {
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

  it('answers at the address of the pages whatever another role answers', { timeout }, async () => {
    const { pages, ...others } = urls
    for (const role of ['ingest', 'pipeline', 'alerts'] as const) {
      const { paths } = await get<{ paths: object }>(`${others[role]}/api/openapi.json`)
      const known = forwardedRoutes[role].map(({ path }): string => path)
      const lacking = Object.keys(paths).filter(
        (path) =>
          path.startsWith('/api/') &&
          !known.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)),
      )
      assert.deepEqual(lacking, [], `of ${role}`)
    }
    assert.deepEqual(await get(`${pages}/api/alerts`), { alerts: [] })
    const { strategy } = await get<{ strategy: string }>(`${pages}/api/allocation`)
    assert.equal(strategy, 'static')
  })

  it('tells the lag of each partition, and is asked by commands at an address', {
    timeout,
  }, async () => {
    const metrics = await (await fetch(`${urls.pipeline}/metrics`)).text()
    for (const partition of [0, 1])
      assert.match(
        metrics,
        new RegExp(
          `^tickertone_log_lag_records\\{group="tickertone.pipeline",topic="posts",partition="${partition}"\\} 0$`,
          'm',
        ),
      )
    assert.match(metrics, /^tickertone_log_lag_unknown\{group="tickertone.pipeline"\} 0$/m)
    const args = ['explain', 'down', '--json', '--url', urls.pages]
    const { code, stdout, stderr } = await runCommand(args)
    assert.equal(code, 0, stderr)
    assert.equal((JSON.parse(stdout) as { postId: string }).postId, 'down')
  })

  it('is examined without being changed', { timeout }, async () => {
    const { stdout } = await runCommand(['doctor', '--data-dir', join(folder, 'none')], env)
    assert.match(stdout, /^ok {3}kafka: .*4 topics have the right settings, and a group can read$/m)
    assert.match(stdout, /^ok {3}clickhouse: ClickHouse \d.*has the tables$/m)
    const elsewhere = { KAFKA_TOPIC_PREFIX: 'elsewhere.', LOG_PARTITIONS: '3' }
    const other = await runCommand(['doctor', '--port', '0'], { ...env, ...elsewhere })
    assert.match(
      other.stdout,
      /^ok {3}kafka: .*would create posts, posts.dead, feedback, control$/m,
    )
    const wrong = await runCommand(['doctor', '--port', '0'], { ...env, LOG_PARTITIONS: '3' })
    assert.match(wrong.stdout, /^FAIL kafka: .*has 2 partitions, not 3.*log\.partitions/m)
  })

  it('records a label once with two pipelines, whichever took it', { timeout }, async () => {
    const second = await run('pipeline').url
    const label = { post_id: 'down', task: 'sentiment', label: 'negative', labeller: 'ann' }
    for (const url of [urls.pages, second]) {
      const answer = await fetch(`${url}/api/feedback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(label),
      })
      assert.equal(answer.status, 202, await answer.text())
    }
    const learnedAt = async (url: string) =>
      (await get<{ feedback: { learned: number } }>(`${url}/api/allocation`)).feedback.learned
    for (const url of [urls.pipeline, second])
      await until(
        () => learnedAt(url),
        (learned) => learned === 1,
      )
    const counts = 'SELECT count() AS n, uniqExact(offset) AS offsets FROM labels_v'
    const { rows } = await until(
      () => sql(counts),
      (answer) => answer.rows[0]?.[0] !== 0,
    )
    assert.equal(rows[0]?.[0], rows[0]?.[1])
    await pushPosts(
      urls.pages,
      Array.from({ length: 40 }, (_, i) => post([`p${i}`, texts.flat])),
    )
    await caughtUp(urls.pages)
    const doubled = await sql(
      "SELECT count() AS n, uniqExact(partition, offset) AS offsets FROM analyses WHERE ordinal = 0 AND log_topic = 'posts@0'",
    )
    assert.deepEqual(doubled.rows[0], [43, 43])
  })

  it('has one process that raises alerts, and another one take over', { timeout }, async () => {
    const isActive = async (url: string) =>
      /^tickertone_alerts_active 1$/m.test(await (await fetch(`${url}/metrics`)).text())
    const second = run('alerts')
    const both = [urls.alerts, await second.url]
    await until(
      () => Promise.all(both.map(isActive)),
      (active) => active.filter(Boolean).length === 1,
    )
    second.child.kill('SIGKILL')
    await second.exited
    await until(() => isActive(urls.alerts), Boolean)
  })

  it('says so while no broker answers, and goes on by itself', { timeout: 90_000 }, async () => {
    interface Readiness {
      readonly ready: boolean
      readonly checks: Readonly<Record<string, string>>
    }
    const readiness = () => get<Readiness>(`${urls.pipeline}/readyz`)
    await broker.kill()
    const { checks } = await until(readiness, ({ ready }) => !ready)
    assert.match(Object.values(checks).join(' '), /No Kafka broker answers/)
    await broker.restart()
    await until(readiness, ({ ready }) => ready)
    const again = await until(
      () => pushPosts(urls.pages, [post(['again', texts.up])]),
      ({ status }) => status !== 503,
    )
    assert.equal(again.status, 202)
    await caughtUp(urls.pages)
  })

  it('stops in order', { timeout }, async () => {
    for (const process of running.filter(({ child }) => child.exitCode === null))
      if (process.child.signalCode === null)
        assert.equal(await stopMonitor(process), 0, process.stderr())
  })

  async function sql(statement: string): Promise<{ rows: readonly (readonly unknown[])[] }> {
    const answer = await fetch(`${urls.pages}/api/sql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sql: statement }),
    })
    assert.equal(answer.status, 200)
    return (await answer.json()) as { rows: readonly (readonly unknown[])[] }
  }
})
