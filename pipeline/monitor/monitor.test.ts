import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { type Logger, silentLogger } from '../../infra/logger.ts'
import { seededRandom } from '../../infra/seeded-random.ts'
import type { Verdict } from '../rows.ts'
import { reportMonitor } from './metrics.ts'
import { createStreamMonitor, type StreamMonitor } from './monitor.ts'
import { scored, type Told, unsupported } from './verdict.fixture.ts'

interface Line {
  readonly kind: string
  readonly language: string
  readonly signals: readonly string[]
}

function listening(): { readonly monitor: StreamMonitor; readonly lines: Line[] } {
  const lines: Line[] = []
  const logger = { ...silentLogger, warn: (line: Line) => lines.push(line) } as unknown as Logger
  return { lines, monitor: createStreamMonitor({ logger, rareWords: () => 0.1 }) }
}

/** A fifth of the posts negative, a tenth about earnings. */
function* stream(posts: number, seed: number, told: Told = {}): Generator<Verdict> {
  const random = seededRandom(seed)
  for (let post = 0; post < posts; post++)
    yield scored({
      topic: random() < 0.1 ? 'Earnings' : 'Macro',
      sentiment: random() < 0.2 ? [0.6, 0.3, 0.1] : [0.1, 0.7, 0.2],
      ...told,
    })
}

test('a steady stream leaves no line', () => {
  const { monitor, lines } = listening()
  monitor.observe([...stream(20_000, 1)])
  assert.equal(lines.length, 0)
})

const changes: readonly { name: string; told: Told; signal: RegExp }[] = [
  {
    name: 'confidence drops',
    told: { sentiment: [0.2, 0.5, 0.3] },
    signal: /^confidence: 0.6\d+ ->/,
  },
  { name: 'a topic comes up', told: { topic: 'IPO' }, signal: /^topic IPO: 0.000 ->/ },
  {
    name: 'experts disagree',
    told: {
      opinions: [
        [1, 0, 0],
        [0, 0, 1],
      ],
    },
    signal: /^disagreement: 0.000 ->/,
  },
  { name: 'texts are longer', told: { text: 'shares '.repeat(20) }, signal: /^log2 length: / },
]

for (const { name, told, signal } of changes)
  test(`${name}: one line within a window, and one only`, () => {
    const { monitor, lines } = listening()
    monitor.observe([...stream(2_000, 2)])
    assert.equal(lines.length, 0)
    monitor.observe([...stream(500, 3, told)])
    assert.equal(lines.length, 1)
    const [line] = lines
    assert.ok(
      line?.signals.some((said) => signal.test(said)),
      line?.signals.join('; '),
    )
    monitor.observe([...stream(10_000, 4, told)])
    assert.equal(lines.length, 1)
    const [, judged] = monitor.status()
    assert.ok((judged?.lastChange?.atPost ?? 0) > 2_000)
  })

test('another mix of languages is found in the posts that nobody judges', () => {
  const { monitor, lines } = listening()
  monitor.observe([...stream(2_000, 5)])
  monitor.observe(
    [...stream(500, 6)].flatMap((verdict, i) =>
      i % 5 === 0 ? [verdict, unsupported('ja')] : [verdict],
    ),
  )
  assert.deepEqual(
    lines.map(({ kind, language }) => `${kind} ${language}`),
    ['news any'],
  )
  assert.match(lines[0]?.signals.join() ?? '', /language ja: 0.000 ->/)
})

test('history, duplicates and the dead do not count', () => {
  const { monitor } = listening()
  const post = {
    id: 'p',
    source: 's',
    kind: 'news',
    text: 't',
    publishedAt: '2020-01-01T00:00:00Z',
  } as const
  monitor.observe([
    scored({ history: true }),
    unsupported('de', { history: true }),
    { outcome: 'dead', reason: 'r', post },
    { outcome: 'duplicate', post, version: 1 },
  ])
  assert.deepEqual(monitor.status(), [])
})

test('kinds are watched apart', () => {
  const { monitor, lines } = listening()
  monitor.observe([...stream(3_000, 7)])
  monitor.observe([...stream(3_000, 8, { kind: 'comment', topic: 'IPO' })])
  assert.equal(lines.length, 0)
  assert.deepEqual(
    monitor.status().map(({ kind, language, posts }) => [kind, language, posts]),
    [
      ['news', 'any', 3_000],
      ['news', 'en', 3_000],
      ['comment', 'any', 3_000],
      ['comment', 'en', 3_000],
    ],
  )
})

test('batches of any size say the same', () => {
  const verdicts = [...stream(2_000, 9), ...stream(1_000, 10, { topic: 'IPO' })]
  const [whole, single] = [listening(), listening()]
  whole.monitor.observe(verdicts)
  for (const verdict of verdicts) single.monitor.observe([verdict])
  assert.deepEqual(single.lines, whole.lines)
  assert.deepEqual(single.monitor.status(), whole.monitor.status())
})

test('Prometheus sees reference, window, strain and shifts', async () => {
  const { monitor } = listening()
  const registry = new Registry()
  reportMonitor(registry, monitor)
  monitor.observe([...stream(100, 11)])
  const learning = await registry.metrics()
  assert.ok(!learning.includes('NaN'))
  monitor.observe([...stream(2_000, 12), ...stream(1_000, 13, { sentiment: [1, 0, 0] })])
  const metrics = await registry.metrics()
  const labels = 'kind="news",language="en",signal="confidence"'
  assert.match(metrics, new RegExp(`tickertone_stream_shifts_total{${labels}} 1`))
  assert.match(metrics, new RegExp(`tickertone_stream_reference{${labels}} 1\n`))
  assert.match(metrics, new RegExp(`tickertone_stream_strain{${labels}} 0\\n`))
})
