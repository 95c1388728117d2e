/**
 * The store's figures: `npm run -s build && node dist/bench/store.js [rows]`. Rows go through the partition writer into a new embedded
 * store in a temporary folder; then each question is asked 30 times, and the median and the slowest are printed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../infra/clock.ts'
import { silentLogger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Store } from '../infra/store/store.ts'
import { toStoreTime } from '../infra/store/store-time.ts'
import { createTail } from '../infra/store/tail.ts'
import { emptyRow, type UnplacedRow } from '../pipeline/writer/gap.ts'
import { createPartitionWriter } from '../pipeline/writer.ts'

const logTopic = 'posts@0'
const partitions = 4
const rowsPerPost = 3
const postsPerBatch = 5_000
const start = Date.parse('2026-11-01T00:00:00Z')
const text =
  'The quarter was worse than anyone had thought, and $ABC guided down again for the year. '.repeat(
    2,
  )

const { positionals } = parseArgs({ allowPositionals: true })
const rowsWanted = Number(positionals[0] ?? 1_000_000)
const print = (line: string): boolean => process.stdout.write(`${line}\n`)

/** A post and two mentions out of 500 instruments, a post a second. */
function rowsAt(partition: number, offset: number): UnplacedRow[] {
  const time = toStoreTime(start + offset * 1_000)
  const post: UnplacedRow = {
    ...emptyRow({ logTopic, partition }, offset, time),
    outcome: 'scored',
    post_id: `post-${partition}-${offset}`,
    version: 1,
    source: 'bench',
    kind: 'comment',
    status: 'original',
    text,
    language: 'en',
    language_confidence: 1,
    signature: Array.from({ length: 64 }, (_, at) => (offset * 2_654_435_761 + at) >>> 0),
    topic: 'Earnings',
    topic_probabilities: Array.from({ length: 20 }, () => 0.05),
    negative: 0.6,
    neutral: 0.3,
    positive: 0.1,
    score: -0.5,
    confidence: 0.6,
    'experts.name': ['linear', 'lexicon'],
    'experts.version': ['1', '1'],
    'experts.task': ['sentiment', 'sentiment'],
    'experts.weight': [0.9, 0.1],
    'experts.probabilities': [
      [0.6, 0.3, 0.1],
      [0.5, 0.4, 0.1],
    ],
    'experts.ran': [true, true],
    'experts.run_probability': [1, 1],
    'experts.shadow': [false, false],
    'experts.cost_ms': [0, 0],
    strategy: 'static',
    fusion: 'average',
    topic_fusion: 'average',
    sentiment_temperature: 1,
    topic_temperature: 1,
    label_draw: '',
    label_probability: 0,
  }
  const mentions = Array.from({ length: rowsPerPost - 1 }, (_, at) => ({
    ...post,
    ordinal: at + 1,
    instrument: `US:T${(offset * 7 + at * 131) % 500}`,
    signature: [],
  }))
  return [post, ...mentions]
}

async function fill(store: Store): Promise<void> {
  const writers = Array.from({ length: partitions }, (_, partition) =>
    createPartitionWriter({
      store,
      partition: { logTopic, partition },
      logger: silentLogger,
      clock: systemClock,
    }),
  )
  let rows = 0
  let busyMs = 0
  for (let from = 0; rows < rowsWanted; from += postsPerBatch) {
    for (const [partition, writer] of writers.entries()) {
      const offsets = Array.from({ length: postsPerBatch }, (_, at) => from + at)
      const batch = offsets.flatMap((offset) => rowsAt(partition, offset))
      const began = performance.now()
      await writer.write({ from, next: from + postsPerBatch, rows: batch })
      busyMs += performance.now() - began
      rows += batch.length
    }
  }
  const perBlock = postsPerBatch * rowsPerPost
  print(
    `write: ${Math.round(rows / (busyMs / 1_000))} rows/s, ${Math.round((busyMs / rows) * perBlock)} ms a block of ${perBlock} rows, ${rows} rows`,
  )
}

async function measure(name: string, ask: () => Promise<unknown>): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < 30; run += 1) {
    const began = performance.now()
    await ask()
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const at = (share: number): string =>
    (times[Math.round(share * (times.length - 1))] ?? 0).toFixed(1)
  print(`${name}: median ${at(0.5)} ms, slowest ${at(1)} ms`)
}

const path = mkdtempSync(join(tmpdir(), 'tickertone-bench-store-'))
const store = await openEmbeddedStore({ path })
try {
  print(`${cpus().length} cores, Node ${process.version}`)
  await fill(store)
  const tail = createTail(store, logTopic, ['instrument', 'score', 'outcome'])
  const end = await tail.end()
  const page =
    "SELECT post_id, published_at, score, text FROM mentions_v WHERE instrument = 'US:T7' ORDER BY published_at DESC LIMIT 50"
  const series =
    "SELECT minute, sum(mentions) AS mentions, sum(negative_mentions) AS negative FROM sentiment_per_minute_v WHERE instrument = 'US:T7' GROUP BY minute ORDER BY minute"
  await measure('mark of a partition', () => store.mark({ logTopic, partition: 1 }))
  await measure('tail, nothing new', () => tail.read(end, 1_000))
  await measure('tail, 1,000 rows of the middle', () => tail.read(halfOf(end), 1_000))
  await measure('page of a ticker', () => store.query(page))
  await measure('per-minute series of a ticker', () => store.query(series))
  print(`memory: ${Math.round(process.memoryUsage().rss / 1024 / 1024)} MiB resident`)
} finally {
  await store.close()
  rmSync(path, { recursive: true, force: true })
}

function halfOf(cursor: Readonly<Record<number, number>>): Record<number, number> {
  return Object.fromEntries(
    Object.entries(cursor).map(([partition, next]) => [partition, Math.floor(next / 2)]),
  )
}
