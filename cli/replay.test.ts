import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import { systemClock } from '../infra/clock.ts'
import { createEmbeddedLog } from '../infra/log/embedded.ts'
import { type Log, topics } from '../infra/log/log.ts'
import { silentLogger } from '../infra/logger.ts'
import { packageRoot } from '../infra/package-root.ts'
import type { Post } from '../ingest/contract.ts'
import { createIngest, type Ingest } from '../ingest/main.ts'

let folder: string
let file: string
let log: Log
let ingest: Ingest
let server: FastifyInstance
let url: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickertone-replay-'))
  file = join(folder, 'posts.ndjson')
})
after(() => rm(folder, { recursive: true }))

beforeEach(async () => {
  log = createEmbeddedLog({
    path: await mkdtemp(join(folder, 'log-')),
    clock: systemClock,
    logger: silentLogger,
  })
  await log.ensureTopics([{ name: topics.posts, partitions: 1 }])
  ingest = createIngest({ log, clock: systemClock, logger: silentLogger })
  await ingest.start()
  server = Fastify()
  await server.register(ingest.plugin)
  url = await server.listen({ port: 0 })
})
afterEach(async () => {
  await server.close()
  await ingest.stop()
  await log.close()
})

/** Runs the command in a process of its own, as the command line does. */
function start(...args: string[]) {
  const module = pathToFileURL(join(packageRoot, 'dist/cli/replay.js')).href
  const script = `
    import { replayCommand } from ${JSON.stringify(module)}
    const command = replayCommand().exitOverride()
    await command.parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
      console.error(error.message)
      process.exitCode = error.code === 'USAGE' || error.exitCode ? 2 : 1
    })`
  const argv = ['--input-type=module', '-e', script, '--', ...args]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  const finished = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code], out, err]) => ({ code: code as number, out, err }),
  )
  return { child, finished }
}
const run = (...args: string[]) => start(...args).finished

async function stored(count: number): Promise<Post[]> {
  const posts: Post[] = []
  const { promise, resolve } = signal()
  const follower = await log.follow(topics.posts, [0], async ({ records }) => {
    for (const { value } of records) posts.push(JSON.parse(value.toString()) as Post)
    if (posts.length >= count) resolve()
  })
  await promise
  await follower.stop()
  return posts
}

function signal(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

function row(id: string, second: number, fields: Record<string, unknown> = {}): string {
  const publishedAt = new Date(Date.UTC(2020, 5, 26) + second * 1_000).toISOString()
  return JSON.stringify({ id, publishedAt, kind: 'comment', text: `Text of ${id}`, ...fields })
}

describe('tickertone replay', () => {
  it('plays a file into a running monitor at its pace, and sums up', async () => {
    await writeFile(file, [row('a', 0), row('b', 30), row('c', 60)].join('\n'))
    const began = systemClock()
    const { code, out, err } = await run(
      file,
      '--url',
      url,
      '--speed',
      '600',
      '--rebase',
      '--id-prefix',
      'p-',
    )
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^done in \d\.\d s: 3 accepted, 0 refused\n$/)
    const posts = await stored(3)
    assert.deepEqual(
      posts.map(({ id, source }) => [id, source]),
      [
        ['p-a', 'posts'],
        ['p-b', 'posts'],
        ['p-c', 'posts'],
      ],
    )
    const [a = 0, b = 0, c = 0] = posts.map(({ publishedAt }) => Date.parse(publishedAt))
    assert.deepEqual([b - a, c - b], [50, 50])
    assert.ok(a >= began && systemClock() >= c)
    assert.equal(posts[2]?.originalPublishedAt, '2020-06-26T00:01:00.000Z')
  })

  it('plays the bundled file at full speed', async () => {
    const bundled = join(packageRoot, 'data/market-tweets-2020.ndjson')
    const { code, out } = await run(bundled, '--url', url, '--speed', 'full', '--json')
    assert.equal(code, 0)
    const { accepted, refused, interrupted } = JSON.parse(out)
    assert.deepEqual([accepted, refused, interrupted], [4_273, 0, false])
    assert.deepEqual(await log.endOffsets(topics.posts), [4_273])
  })

  it('names refused rows and ends with 1', async () => {
    await writeFile(
      file,
      [row('a', 0), 'nonsense', row('b', 1, { kind: 'rumour' }), row('c', 2)].join('\n'),
    )
    const plain = await run(file, '--url', url, '--speed', 'full')
    assert.equal(plain.code, 1)
    assert.match(plain.out, /: 2 accepted, 2 refused\n$/)
    assert.equal(
      plain.err,
      `${file}:2: not valid JSON\n${file}:3: kind: must be one of news, comment\n`,
    )
    const json = await run(file, '--url', url, '--speed', 'full', '--json')
    assert.deepEqual(
      JSON.parse(json.out).refusals.map(({ line }: { line: number }) => line),
      [2, 3],
    )
  })

  it('plays only the chosen time', async () => {
    await writeFile(file, [row('a', 0), row('b', 60), row('c', 120)].join('\n'))
    const times = ['--from', '2020-06-26T00:01:00Z', '--to', '2020-06-26T00:02:00Z']
    const { code, out } = await run(file, '--url', url, '--source', 'wire', ...times)
    assert.equal(code, 0)
    assert.match(out, /1 accepted, 0 refused, 2 outside the chosen time/)
    const [post] = await stored(1)
    assert.deepEqual([post?.id, post?.source], ['b', 'wire'])
  })

  it('stops at Ctrl-C, and prints the summary', async () => {
    await writeFile(file, [row('a', 0), row('b', 86_400)].join('\n'))
    const { child, finished } = start(file, '--url', url, '--rebase')
    await stored(1)
    child.kill('SIGINT')
    const { code, out } = await finished
    assert.equal(code, 130)
    assert.match(out, /^interrupted in .*: 1 accepted, 0 refused\n$/)
  })

  const misuse = [
    {
      name: 'a missing file',
      args: ['/nowhere/posts.ndjson'],
      expected: /Cannot read \/nowhere\/posts.ndjson: ENOENT/,
    },
    { name: 'a folder', args: ['/'], expected: /\/ is not a file/ },
    { name: 'no file', args: [], expected: /missing required argument/ },
    { name: 'speed 0', args: ['x', '--speed', '0'], expected: /above 0, or full/ },
    { name: 'a speed of words', args: ['x', '--speed', 'fast'], expected: /above 0, or full/ },
    {
      name: 'a time without a zone',
      args: ['x', '--from', '2020-06-26'],
      expected: /time with a zone/,
    },
    { name: 'a bad address', args: ['x', '--url', 'localhost'], expected: /http address/ },
    { name: 'an unknown option', args: ['x', '--fast'], expected: /unknown option/ },
  ]
  for (const { name, args, expected } of misuse)
    it(`refuses ${name}`, async () => {
      const { code, out, err } = await run(...args)
      assert.equal(code, 2)
      assert.match(err, expected)
      assert.equal(out, '')
    })
})
