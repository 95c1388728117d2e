import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Value } from 'typebox/value'
import { createCalibration } from '../allocator/calibration.ts'
import type { ServedFusion } from '../allocator/served-fusion.ts'
import { createStacking } from '../allocator/stacking.ts'
import type { Expert } from '../experts/expert.ts'
import { documentOf, EvaluationDocument, fusedName } from './document.ts'
import { type Evaluated, evaluate } from './evaluate.ts'
import { maxListedRows, type NumberedLine } from './judge-lines.ts'
import { createPanel } from './panel.ts'
import { servedAnalyst } from './served-analyst.ts'
import { evaluationText } from './text.ts'

/** Says what the first letter of the text says, this surely; `!` is lethal. Counts the texts that it read. */
function letterExpert(name: string, sure: number) {
  let read = 0
  const rest = (1 - sure) / 2
  const answers: Readonly<Record<string, number[]>> = {
    '-': [sure, rest, rest],
    '0': [rest, sure, rest],
    '+': [rest, rest, sure],
  }
  const expert: Expert = {
    name,
    version: '1',
    tasks: ['sentiment'],
    async classify(batch) {
      read += batch.length
      return batch.map(({ text }) =>
        text.startsWith('!')
          ? { lethal: `${name} ended twice on it` }
          : { sentiment: answers[text[0] ?? ''] ?? [1 / 3, 1 / 3, 1 / 3] },
      )
    },
    close: async () => {},
  }
  return { expert, read: () => read }
}

const weights = { news: { sure: 1, unsure: 1 }, comment: { sure: 1, unsure: 0 } }

const served: ServedFusion = {
  weights,
  topicWeights: weights,
  calibration: createCalibration([]),
  stacking: createStacking([]),
  referenceWeights: weights,
}

interface Run extends Evaluated {
  readonly read: number
}

async function run(rows: readonly unknown[], onBadRow: 'stop' | 'skip' = 'stop'): Promise<Run> {
  const [sure, unsure] = [letterExpert('sure', 0.8), letterExpert('unsure', 0.4)]
  const lines = rows.map(
    (row, i): NumberedLine => ({
      number: i + 1,
      end: i + 1,
      bytes: Buffer.from(typeof row === 'string' ? row : JSON.stringify(row)),
    }),
  )
  const panel = createPanel({
    task: 'sentiment',
    experts: [sure.expert, unsure.expert],
    fusions: { [fusedName]: servedAnalyst(served, 'average') },
  })
  async function* chunks() {
    for (let at = 0; at < lines.length; at += 100) yield lines.slice(at, at + 100)
  }
  const evaluated = await evaluate(chunks(), {
    task: 'sentiment',
    defaultKind: 'news',
    onBadRow,
    panel,
  })
  return { ...evaluated, read: sure.read() }
}

function documented(evaluated: Evaluated): EvaluationDocument {
  return documentOf({
    file: 'letters.ndjson',
    evaluated,
    versions: new Map([
      ['sure', '1'],
      ['unsure', '1'],
    ]),
    speeds: new Map([
      ['sure', 2_000],
      ['unsure', 3_000],
      [fusedName, 1_000],
    ]),
    conditions: { texts: evaluated.sample.length, batch: 256 },
  })
}

/** Each its own cluster. */
const news = (text: string, sentiment: string, i = 0) => ({
  text: `${text} ${i} a${i} b${i}`,
  sentiment,
})
const comment = (text: string, sentiment: string, i = 0) => ({
  ...news(text, sentiment, i + 1_000),
  kind: 'comment',
})

describe('an evaluation', () => {
  const rows = [
    news('-', 'negative', 1),
    news('0', 'neutral', 2),
    news('+', 'positive', 3),
    news('+', 'neutral', 4),
    comment('-', 'negative', 5),
    comment('-', 'positive', 6),
  ]

  it('has the figures of each expert and of the fusion, as a whole and by kind', async () => {
    const document = documented(await run(rows))
    assert.deepEqual(Value.Errors(EvaluationDocument, document), [])
    const { fused, experts, differences } = document
    assert.equal(fused.accuracy, 4 / 6)
    assert.equal(fused.kinds.news?.accuracy, 3 / 4)
    assert.equal(fused.kinds.comment?.accuracy, 1 / 2)
    assert.equal(experts.sure?.accuracy, 4 / 6)
    assert.deepEqual(fused.confusion, [
      [2, 0, 0],
      [0, 1, 1],
      [1, 0, 1],
    ])
    // News fuse 0.8 and 0.4 to 0.6 in 32 bits; of comments the weight 0 leaves 0.8 alone.
    assert.deepEqual(
      fused.reliability.map(({ rows: count, confidence }) => [count, confidence.toFixed(6)]),
      [
        [4, '0.600000'],
        [2, '0.800000'],
      ],
    )
    const close = (actual: number | undefined, expected: number) =>
      assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-12, `${actual}, not ${expected}`)
    close(experts.sure?.logLoss, -(4 * Math.log(0.8) + 2 * Math.log(0.1)) / 6)
    close(experts.sure?.brier, (4 * 0.06 + 2 * (0.64 + 0.81 + 0.01)) / 6)
    close(experts.sure?.calibrationError, 0.8 - 4 / 6)
    assert.deepEqual(
      differences.map(({ judge, base, kind }) => `${judge} - ${base}, ${kind}`),
      ['all', 'news', 'comment'].flatMap((kind) => [
        `fused - sure, ${kind}`,
        `fused - unsure, ${kind}`,
      ]),
    )
  })

  it('says the same as text', async () => {
    const document = documented(await run(rows))
    const text = evaluationText(document)
    const [low, high] = document.fused.intervals.accuracy.map((value) => value.toFixed(3))
    assert.match(text, /^sentiment: 6 rows judged \(news, comment\)\n/)
    assert.match(text, /all, 6 rows\n +sure +unsure +fused\n/)
    assert.ok(text.includes(`0.667 [${low}, ${high}]`))
    assert.match(text, /texts\/s +2,000 +3,000 +1,000\n/)
    assert.match(text, /news, 4 rows\n/)
    assert.match(text, /comment, 2 rows\n/)
    assert.match(text, /3 {2}positive {2}1 {2}0 {2}1\n/)
    assert.match(text, /in batches of 256, in one thread\n$/)
  })

  const workers = [
    { count: 1, expected: 'encoders on 1 worker of 1 thread (cpu)' },
    { count: 3, expected: 'encoders on 3 workers, each of 1 thread (cpu)' },
  ]
  for (const { count, expected } of workers)
    it(`says which machinery gave the speed: ${count}`, async () => {
      const document = documented(await run(rows))
      const speed = { ...document.speed, workers: { count, threads: 1, provider: 'cpu' } }
      assert.ok(evaluationText({ ...document, speed }).endsWith(`; ${expected}\n`))
    })

  it('lists rows of one kind once', async () => {
    const text = evaluationText(documented(await run(rows.slice(0, 4))))
    assert.match(text, /all, 4 rows/)
    assert.doesNotMatch(text, /news, 4 rows/)
  })

  it('reads each text once, in batches that do not matter', async () => {
    const many = Array.from({ length: 600 }, (_, i) => news('+', i % 3 ? 'positive' : 'neutral', i))
    const { intake, read, texts } = await run(many)
    assert.deepEqual([intake.judged, read, texts.rows], [600, 600, 600])
    assert.equal(documented(await run(many)).fused.accuracy, 2 / 3)
  })

  it('takes repeated texts for one piece of evidence', async () => {
    const repeated = Array.from({ length: 50 }, () => news('+', 'positive'))
    const document = documented(await run([...repeated, news('-', 'positive', 7)]))
    assert.equal(document.bootstrap.clusters, 2)
    assert.deepEqual(document.fused.intervals.accuracy, [0, 1])
  })

  it('counts texts in another language, and judges them', async () => {
    const { intake } = await run([...rows, { text: '株価が急落した', sentiment: 'negative' }])
    assert.deepEqual([intake.judged, intake.otherLanguage], [7, 1])
  })

  it('rejects with what an expert failed with', async () => {
    const broken: Expert = {
      ...letterExpert('broken', 1).expert,
      classify: () => Promise.reject(new Error('worker gone')),
    }
    const panel = createPanel({ task: 'sentiment', experts: [broken], fusions: {} })
    async function* lines() {
      yield [{ number: 1, end: 1, bytes: Buffer.from(JSON.stringify(news('+', 'positive'))) }]
    }
    await assert.rejects(
      evaluate(lines(), { task: 'sentiment', defaultKind: 'news', onBadRow: 'stop', panel }),
      /worker gone/,
    )
  })
})

describe('bad rows', () => {
  const rows = [
    news('+', 'positive', 1),
    'nonsense',
    news('-', 'up', 2),
    { text: 'x' },
    news('0', 'neutral', 3),
  ]

  it('keep everything from being judged, and are all named', async () => {
    const { intake, read } = await run(rows)
    assert.deepEqual(
      intake.badRows.map(({ line }) => line),
      [2, 3],
    )
    assert.deepEqual([intake.bad, intake.unlabelled, intake.judged, read], [2, 1, 0, 0])
  })

  it('are left out when asked', async () => {
    const { intake } = await run(rows, 'skip')
    assert.deepEqual([intake.bad, intake.unlabelled, intake.judged], [2, 1, 2])
  })

  it('are those too that an expert must not read', async () => {
    const { intake, texts } = await run([...rows, news('!', 'neutral', 4)], 'skip')
    assert.deepEqual(intake.badRows.at(-1), { line: 6, reason: 'sure ended twice on it' })
    assert.deepEqual([intake.judged, texts.rows], [2, 2])
  })

  it('are counted beyond the first', async () => {
    const { intake } = await run(Array.from({ length: 1_000 }, () => '{'))
    assert.deepEqual([intake.bad, intake.badRows.length], [1_000, maxListedRows])
  })
})
