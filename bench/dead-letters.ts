/**
 * What dead letters cost: `node dist/bench/dead-letters.js [letters]`. Buries so many (100,000 unless told), folds them into the table, reads pages, and
 * folds the same again; prints rates and what the process grew by while it folded.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock as clock } from '../infra/clock.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger as logger } from '../infra/logger.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import { bury } from '../pipeline/dead-letters.ts'
import { createLetters } from '../pipeline/deadletters/letters.ts'

const letters = Number(process.argv[2] ?? 100_000)
const folder = mkdtempSync(join(tmpdir(), 'tickertone-bench-letters-'))
const log = createEmbeddedLog({ path: join(folder, 'log'), clock, logger })
await log.ensureTopics([topics.posts, topics.dead].map((name) => ({ name, partitions: 1 })))
const store = await openEmbeddedStore({ path: join(folder, 'store') })

const chunk = 1_000
for (let at = 0; at < letters; at += chunk) {
  const refused = Array.from({ length: Math.min(chunk, letters - at) }, (_, i) => ({
    record: {
      offset: at + i,
      timestamp: clock(),
      key: null,
      value: Buffer.from(
        JSON.stringify({ id: `post ${at + i}`, source: 'wire', text: 'x'.repeat(280) }),
      ),
    },
    cause: { class: 'invalid', reason: 'missing: kind, publishedAt' } as const,
  }))
  await bury(log, { logTopic: 'posts@0', partition: 0 }, refused)
}

const megabytes = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

async function fold(epoch: string): Promise<void> {
  const before = megabytes()
  const startedAt = performance.now()
  const folding = createLetters({
    log,
    store,
    logTopic: epoch,
    clock,
    logger,
    isErased: () => false,
  })
  await folding.start()
  const found = await folding.count({})
  const seconds = (performance.now() - startedAt) / 1_000
  process.stdout.write(
    `${epoch}: ${found} letters folded in ${seconds.toFixed(1)} s, ${Math.round(found / seconds)} a second, heap ${(megabytes() - before).toFixed(1)} MiB larger\n`,
  )
  const pages: number[] = []
  let cursor: number | undefined
  for (let page = 0; page < 20; page += 1) {
    const asked = performance.now()
    const read = await folding.list(
      { state: 'open', source: 'wire' },
      { limit: 50, before: cursor },
    )
    pages.push(performance.now() - asked)
    cursor = read.at(-1)?.letter
  }
  pages.sort((a, b) => a - b)
  process.stdout.write(`${epoch}: a page of 50 in ${pages[10]?.toFixed(0)} ms (median of 20)\n`)
  await folding.stop()
}

try {
  await fold('posts@0')
  await fold('posts@1')
} finally {
  await log.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
}
