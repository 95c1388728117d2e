/** Speed of the embedded log: `node dist/bench/log.js`. Prints appends/s by batch size, and records/s consumed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import type { NewRecord } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'

const topic = 'bench'
const fullTopic = 'full'
const value = Buffer.alloc(300, 'x')
const folder = mkdtempSync(join(tmpdir(), 'tickertone-bench-'))
const log = createEmbeddedLog({ path: folder, clock: systemClock, logger: silentLogger })

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const records = (count: number, from: number): NewRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `post-${from + i}`, value }))

async function perSecond(work: () => Promise<number>): Promise<string> {
  const start = performance.now()
  const count = await work()
  return Math.round((count * 1_000) / (performance.now() - start)).toLocaleString('en')
}

/** Appends `total` records, `size` a call, `callers` calls at a time. */
async function append(total: number, size: number, callers: number, to = topic): Promise<number> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < total) {
      const from = next
      next += size
      await log.append(to, records(size, from))
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return next
}

async function consumeAll(): Promise<number> {
  const total = (await log.endOffsets(topic)).reduce((sum, end) => sum + end, 0)
  let count = 0
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const consumer = await log.consume(
    { topics: [topic], group: 'bench', startAt: async () => 0 },
    async (batch) => {
      count += batch.records.length
      if (count === total) finish()
    },
  )
  await finished
  await consumer.stop()
  return count
}

await log.ensureTopics([
  { name: topic, partitions: 4 },
  { name: fullTopic, partitions: 4, retentionBytes: 10_000_000 },
])
say('appends of 300-byte records, each durable when acknowledged')
for (const [total, size, callers] of [
  [2_000, 1, 1],
  [20_000, 1, 100],
  [50_000, 100, 1],
  [200_000, 1_000, 1],
] as const)
  say(
    `  batches of ${size}, ${callers} at a time: ${await perSecond(() => append(total, size, callers))} records/s`,
  )
await append(30_000, 1_000, 1, fullTopic)
say(
  `  batches of 1000 to a full topic, each removing as much: ${await perSecond(() => append(50_000, 1_000, 1, fullTopic))} records/s`,
)
say(`consume: ${await perSecond(consumeAll)} records/s`)
await log.close()
rmSync(folder, { recursive: true, force: true })
