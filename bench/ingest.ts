/** Posts a second through ingest: the check alone, and push over HTTP to the embedded log. Prints one line each. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { systemClock } from '../infra/clock.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { decodePost } from '../ingest/contract.ts'
import { demoFile } from '../ingest/demo.ts'
import { createIngest } from '../ingest/main.ts'

const rounds = 25
const rows = (await readFile(demoFile, 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => JSON.stringify({ source: 'bench', ...JSON.parse(line) }))

function print(what: string, posts: number, ms: number): void {
  process.stdout.write(`${what}: ${Math.round((posts / ms) * 1_000)} posts/s\n`)
}

function benchCheck(): void {
  const records = rows.map((row) => Buffer.from(row))
  const began = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (const record of records)
      if (!decodePost(record, systemClock()).ok) throw new Error('a bundled row was refused')
  }
  print('check', rounds * records.length, performance.now() - began)
}

async function benchPush(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tickertone-bench-'))
  const log = createEmbeddedLog({ path: folder, clock: systemClock, logger: silentLogger })
  await log.ensureTopics([{ name: topics.posts, partitions: 4 }])
  const ingest = createIngest({ log, clock: systemClock, logger: silentLogger })
  await ingest.start()
  const server = Fastify()
  await server.register(ingest.plugin)
  const url = await server.listen({ port: 0 })
  const body = rows.join('\n')
  const began = performance.now()
  for (let round = 0; round < rounds; round++) {
    const headers = { 'content-type': 'application/x-ndjson' }
    const response = await fetch(`${url}/api/posts`, { method: 'POST', headers, body })
    if (response.status !== 202) throw new Error(`push answered ${response.status}`)
    await response.text()
  }
  print('push, NDJSON, durable', rounds * rows.length, performance.now() - began)
  await server.close()
  await ingest.stop()
  await log.close()
  await rm(folder, { recursive: true })
}

benchCheck()
await benchPush()
