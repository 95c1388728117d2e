/** Labels end to end in a temporary folder: the real log, store, pipeline, linear expert and lexicon, over HTTP on loopback. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMonitor } from '../../dashboards/monitor.fixture.ts'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger as logger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { createAnalyst } from '../allocator/analyst.ts'
import { createCalibration } from '../allocator/calibration.ts'
import { createStaticAllocator } from '../allocator/static.ts'
import { readFeedback } from '../allocator/weights/read-record.ts'
import { createLinker } from '../entities/link.ts'
import type { Expert } from '../experts/expert.ts'
import { createLexiconExpert, readLexicon } from '../experts/lexicon.ts'
import { createLinearExpert, readLinear } from '../experts/linear.ts'
import { createPipeline, type Pipeline } from '../pipeline.ts'
import type { LabelResult } from '../routes/feedback.ts'
import { Gate } from '../serving/gate.ts'
import type { LabelRates } from './draw.ts'
import { createLabelling, type Labelling } from './labelling.ts'
import type { FeedbackRecord } from './record.ts'

export const logTopic = 'posts@0'
const partition = { logTopic, partition: 0 }

export interface Answer<Body = LabelResult> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface LabellingFixture {
  readonly log: EmbeddedLog
  readonly store: Store
  readonly labelling: Labelling
  readonly url: string
  /** Appends a post to the log; scored later. */
  append(fields: Readonly<Record<string, unknown>>): Promise<number>
  /** Appends posts and waits for their rows. */
  score(...posts: readonly Readonly<Record<string, unknown>>[]): Promise<void>
  pausePipeline(): Promise<void>
  resumePipeline(): Promise<void>
  post(path: string, body: unknown): Promise<Answer>
  postLines(path: string, lines: string): Promise<Answer>
  get<Body>(path: string): Promise<Answer<Body>>
  /** The whole topic. */
  records(): Promise<readonly (FeedbackRecord | undefined)[]>
  /** Resolves when the table has everything that the topic has. */
  tabled(): Promise<void>
  close(): Promise<void>
}

export async function startLabelling(options: {
  readonly rates: LabelRates
  /** What labels ask; the linear expert alone judges what comes. */
  readonly experts?: (loaded: readonly Expert[]) => readonly Expert[]
}): Promise<LabellingFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-labels-'))
  const started = performance.now()
  const clock = () => Date.parse('2026-03-02T12:00:00Z') + Math.floor(performance.now() - started)
  const log = createEmbeddedLog({ path: join(folder, 'log'), clock, logger })
  await log.ensureTopics(
    [topics.posts, topics.dead, topics.feedback].map((name) => ({ name, partitions: 1 })),
  )
  const store = await openEmbeddedStore({ path: join(folder, 'store') })
  const linear = createLinearExpert(readLinear())
  /** As labels meet it, but ended by one word. */
  const reader: Expert = {
    ...linear,
    classify: async (batch, call) => {
      const outputs = await linear.classify(batch, call)
      return outputs.map((output, i) =>
        batch[i]?.text.includes('arsenic') ? { lethal: 'ended its reader' } : output,
      )
    },
  }
  const loaded = [linear, createLexiconExpert(readLexicon())]
  const weights = { news: { linear: 1 }, comment: { linear: 1 } }
  const linker = createLinker()
  let pipeline: Pipeline | undefined

  async function resumePipeline(): Promise<void> {
    pipeline = createPipeline({
      log,
      store,
      logTopic,
      logger,
      clock,
      gate: new Gate(),
      linker,
      flushMs: 1,
      limits: { maxBytes: 1e9, maxMs: 1e9 },
      withinMs: { live: 1_000, history: 1_000 },
      labelRates: options.rates,
      analyst: createAnalyst({
        experts: [reader],
        allocator: createStaticAllocator({ weights, experts: [reader] }),
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
    await pipeline.start()
  }

  await resumePipeline()
  const labelling = createLabelling({
    log,
    store,
    logTopic,
    logger,
    clock,
    experts: options.experts?.(loaded) ?? loaded,
    isShadow: (name) => name === 'lexicon',
    patienceMs: 200,
  })
  await labelling.start()
  const monitor = await startMonitor([labelling.plugin])

  async function append(fields: Readonly<Record<string, unknown>>): Promise<number> {
    const value = JSON.stringify({
      source: 'test',
      kind: 'news',
      publishedAt: '2026-03-02T11:50:00Z',
      ...fields,
    })
    const [position] = await log.append(topics.posts, [{ key: String(fields.id), value }])
    return position?.offset ?? -1
  }

  async function send(path: string, body: string, type: string): Promise<Answer> {
    const response = await fetch(`${monitor.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    return answerOf(response)
  }

  return {
    log,
    store,
    labelling,
    url: monitor.url,
    append,
    async score(...posts) {
      let last = -1
      for (const post of posts) last = await append(post)
      while ((await store.mark(partition)) < last);
    },
    pausePipeline: async () => pipeline?.stop(),
    resumePipeline,
    post: (path, body) => send(path, JSON.stringify(body), 'application/json'),
    postLines: (path, lines) => send(path, lines, 'application/x-ndjson'),
    get: async (path) => answerOf(await fetch(`${monitor.url}${path}`)),
    async records() {
      const [end = 0] = await log.endOffsets(topics.feedback)
      const records: (FeedbackRecord | undefined)[] = []
      if (end === 0) return records
      await new Promise<void>((resolve, reject) => {
        const following = log.follow(topics.feedback, [0], async (batch) => {
          for (const { value } of batch.records) records.push(readFeedback(value))
          if (batch.next >= end)
            void following.then((follower) => follower.stop()).then(resolve, reject)
        })
      })
      return records
    },
    async tabled() {
      const [end = 0] = await log.endOffsets(topics.feedback)
      const sql = 'SELECT if(count() = 0, 0, max(offset) + 1) AS next FROM labels'
      while (((await store.query<{ next: number }>(sql))[0]?.next ?? 0) < end);
    },
    async close() {
      await monitor.close()
      await labelling.stop()
      await pipeline?.stop()
      await log.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answerOf<Body>(response: Response): Promise<Answer<Body>> {
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  }
}
