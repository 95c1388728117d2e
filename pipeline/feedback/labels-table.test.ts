/** The table of labels and what is computed from it, on the real log and engine. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { pino } from 'pino'
import { createEmbeddedLog } from '../../infra/log/embedded.ts'
import type { EmbeddedLog } from '../../infra/log/embedded-log.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Store } from '../../infra/store/store.ts'
import { labelsOf, topicLabels } from '../contract.ts'
import { createLabelsTable } from './labels-table.ts'
import type { FeedbackRecord, Testimony } from './record.ts'
import { labelStats } from './stats.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickertone-labels-table-'))

/** Sure of one sentiment. */
const sure = (label: number) => [0, 1, 2].map((each) => (each === label ? 0.8 : 0.1))

function expert(name: string, label: number, fields: Partial<Testimony> = {}): Testimony {
  return { name, version: '1', probabilities: sure(label), ran: true, shadow: false, ...fields }
}

function feedback(offset: number, fields: Partial<FeedbackRecord> = {}): FeedbackRecord {
  return {
    format: 1,
    post: { id: `post-${offset}`, version: 1, logTopic: 'posts@0', partition: 0, offset },
    task: 'sentiment',
    label: 0,
    labeller: 'ann',
    origin: 'uniform',
    selectionProbability: 0.1,
    context: { source: 'test', kind: 'news', language: 'en', textLength: 10 },
    strategy: 'static',
    fused: sure(0),
    experts: [expert('linear', 0)],
    ...fields,
  }
}

describe('the table of labels', () => {
  let log: EmbeddedLog
  let store: Store

  before(async () => {
    const path = join(folder, 'log')
    log = createEmbeddedLog({ path, clock: Date.now, logger: silentLogger })
    await log.ensureTopics([{ name: topics.feedback, partitions: 1 }])
    store = await openEmbeddedStore({ path: join(folder, 'store') })
  })
  after(async () => {
    await log.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const append = (...values: (FeedbackRecord | string)[]) =>
    log.append(
      topics.feedback,
      values.map((value) => ({
        key: null,
        value: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    )

  /** Follows the topic to its end, and answers what was logged. */
  async function fill(): Promise<string[]> {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const [end = 0] = await log.endOffsets(topics.feedback)
    let reached: () => void = () => {}
    const atEnd = new Promise<void>((resolve) => (reached = resolve))
    const table = createLabelsTable({
      log,
      store,
      logger: pino(sink),
      onStored: (offset) => {
        if (offset >= end - 1) reached()
      },
    })
    await table.start()
    await atEnd
    await table.stop()
    await table.stop()
    return lines
  }

  /** Leaves the table with these records alone. */
  async function onlyThese(...records: readonly FeedbackRecord[]): Promise<void> {
    const [start] = await log.endOffsets(topics.feedback)
    await append(...records)
    await fill()
    await store.command(
      'ALTER TABLE labels DELETE WHERE offset < {start:Int64} SETTINGS mutations_sync = 1',
      { start },
    )
  }

  const offsets = async () =>
    (await store.query<{ offset: number }>('SELECT offset FROM labels_v ORDER BY offset')).map(
      ({ offset }) => offset,
    )

  const malformed: readonly { name: string; value: FeedbackRecord | string }[] = [
    { name: 'no JSON', value: '{"format": 1' },
    { name: 'a control record', value: '{"type": "serving"}' },
    { name: 'a label that the task lacks', value: feedback(0, { label: 3 }) },
    { name: 'distributions of another task', value: feedback(0, { task: 'topic' }) },
    ...[{ version: 2 ** 32 }, { partition: 2 ** 32 }, { offset: 1e300 }].map((beyond) => ({
      name: `a ${Object.keys(beyond)} that no column holds`,
      value: feedback(0, { post: { ...feedback(0).post, ...beyond } }),
    })),
    { name: 'another format', value: JSON.stringify({ ...feedback(0), format: 2 }) },
  ]

  it('says so when the topic is shorter than what the table has of it', async () => {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const longer = { query: async () => [{ next: 7 }], insert: async () => {} } as unknown as Store
    const table = createLabelsTable({ log, store: longer, logger: pino(sink), onStored: () => {} })
    await table.start()
    await table.stop()
    assert.match(lines.join(''), /"end":0,"next":7.*has lost records/)
  })

  it('holds the records of the topic by their offset, and counts what is none', async () => {
    await append(feedback(0), ...malformed.map(({ value }) => value), feedback(1))
    const lines = await fill()
    assert.deepEqual(await offsets(), [0, malformed.length + 1])
    assert.equal(lines.length, 1)
    assert.equal(JSON.parse(lines[0] ?? '').malformed, malformed.length)
    assert.doesNotMatch(lines[0] ?? '', /serving/)
  })

  it('goes on behind what it has, and one row stays of an offset that is stored twice', async () => {
    const [position] = await append(feedback(2))
    await fill()
    const rows = await store.query<Record<string, unknown>>('SELECT * FROM labels')
    await store.insert('labels', rows)
    await append('behind it, no record')
    await fill()
    assert.deepEqual(await offsets(), [0, malformed.length + 1, position?.offset])
  })

  it('names labels as the contract does', async () => {
    await onlyThese(
      ...topicLabels.map((_, label) => {
        const probabilities = topicLabels.map((_, each) => (each === label ? 0.5 : 0.5 / 19))
        const experts = [expert('linear', 0, { probabilities })]
        return feedback(label, { task: 'topic', label, fused: probabilities, experts })
      }),
      ...labelsOf.sentiment.map((_, label) =>
        feedback(label, { label, fused: sure(label), experts: [expert('linear', label)] }),
      ),
    )
    const rows = await store.query<{ label: string; answer: string; expert: string }>(
      'SELECT label, answer, `experts.answer`[1] AS expert FROM labels_v',
    )
    assert.equal(rows.length, topicLabels.length + 3)
    assert.deepEqual(
      rows.filter(({ label, answer, expert }) => label !== answer || label !== expert),
      [],
    )
  })

  it('measures accuracy on the uniform share, and weighs all drawn posts', async () => {
    const informative = { origin: 'informative', selectionProbability: 0.5 } as const
    await onlyThese(
      // Eight of ten right; the expert two of ten.
      ...Array.from({ length: 10 }, (_, i) =>
        feedback(i, { label: i < 8 ? 0 : 1, experts: [expert('linear', 1)] }),
      ),
      // All wrong, drawn five times as often: worth a fifth.
      ...Array.from({ length: 10 }, (_, i) => feedback(100 + i, { label: 1, ...informative })),
      // Without a probability, as only another producer writes it: in no figure.
      feedback(300, { selectionProbability: null }),
      // Chosen: in no figure.
      ...Array.from({ length: 10 }, (_, i) =>
        feedback(200 + i, { origin: 'chosen', selectionProbability: null }),
      ),
    )
    const { accuracy } = await labelStats(store)
    const of = (sample: string, judge: string) =>
      accuracy.find((row) => row.sample === sample && row.judge === judge && row.kind === '')
    const fused = of('uniform', 'fused')
    assert.deepEqual([fused?.posts, fused?.effective_posts, fused?.accuracy], [10, 10, 0.8])
    // statsmodels: proportion_confint(8, 10, method='wilson')
    assert.ok(Math.abs((fused?.low ?? 0) - 0.4901624715) < 1e-9, String(fused?.low))
    assert.ok(Math.abs((fused?.high ?? 0) - 0.9433178485) < 1e-9, String(fused?.high))
    assert.equal(of('uniform', 'linear')?.accuracy, 0.2)
    const weighted = of('weighted', 'fused')
    assert.equal(weighted?.posts, 20)
    assert.ok(Math.abs((weighted?.accuracy ?? 0) - 80 / 120) < 1e-6)
    assert.ok(Math.abs((weighted?.effective_posts ?? 0) - 120 ** 2 / 1_040) < 1e-4)
  })

  it('lets the majority decide, and the newest label of each labeller count', async () => {
    const votes: readonly [labeller: string, label: number][] = [
      ['ann', 1],
      ['bo', 0],
      ['cy', 0],
      ['bo', 2],
      ['dee', 0],
    ]
    await onlyThese(...votes.map(([labeller, label]) => feedback(7, { labeller, label })))
    const rows = await store.query<{
      judge: string
      label: string
      labellers: number
      is_right: boolean
    }>('SELECT judge, label, labellers, is_right FROM label_judges_v ORDER BY judge')
    const verdict = { label: 'negative', labellers: 4, is_right: true }
    assert.deepEqual(rows, [
      { judge: 'fused', ...verdict },
      { judge: 'linear', ...verdict },
    ])
  })

  it("gives Cohen's kappa of labellers, with the posts both labelled", async () => {
    const pairs: readonly [posts: number, ann: number, bo: number][] = [
      [20, 0, 0],
      [5, 0, 1],
      [10, 1, 0],
      [15, 1, 1],
    ]
    const both = pairs.flatMap(([posts, ann, bo]) => Array.from({ length: posts }, () => [ann, bo]))
    await onlyThese(
      ...both.flatMap(([ann = 0, bo = 0], i) => [
        feedback(i, { label: ann }),
        feedback(i, { label: bo, labeller: 'bo' }),
      ]),
      feedback(500, { labeller: 'alone' }),
    )
    const { agreement } = await labelStats(store)
    assert.equal(agreement.length, 1)
    const [pair] = agreement
    assert.deepEqual([pair?.labellers, pair?.posts, pair?.agreed], [['ann', 'bo'], 50, 0.7])
    // (0.7 - 0.5) / (1 - 0.5)
    assert.ok(Math.abs((pair?.kappa ?? 0) - 0.4) < 1e-12)
  })
})
