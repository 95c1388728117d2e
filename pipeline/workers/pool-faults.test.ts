/** The pool with real processes that die, hang, leak, and are late. Any schedule of deaths: pool.test.ts. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, it } from 'node:test'
import { systemClock } from '../../infra/clock.ts'
import { silentLogger } from '../../infra/logger.ts'
import { type Call, isLethal } from '../experts/expert.ts'
import type { Answer } from './pending-call.ts'
import { type PoolBounds, startWorkerPool, type WorkerPool, type WorkerPoolDeps } from './pool.ts'
import type { WorkerOptions } from './protocol.ts'
import { forkWorker } from './worker-process.ts'

const entry = join(import.meta.dirname, 'worker.fixture.js')
const bounds: PoolBounds = {
  startWithinMs: 60_000,
  answerWithinMs: 60_000,
  aloneWithinMs: 60_000,
  closeWithinMs: 60_000,
}
const history: Call = { priority: 'history', withinMs: Number.POSITIVE_INFINITY }
const live: Call = { priority: 'live', withinMs: Number.POSITIVE_INFINITY }

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-pool-'))
  cleanUps.push(() => rmSync(folder, { recursive: true }))
  return folder
}

interface Overrides extends Partial<Omit<WorkerPoolDeps, 'start'>> {
  /** How workers start: worker.fixture.ts. */
  readonly how?: string
}

async function openPool({ how = 'well', ...overrides }: Overrides = {}): Promise<WorkerPool> {
  const pool = await startWorkerPool({
    count: 1,
    start: forkWorker({
      entry,
      options: optionsOf(how),
      environment: {},
      logger: silentLogger,
    }),
    queue: { texts: 4_096, bytes: 1_000_000 },
    memoryBytes: 500,
    clock: systemClock,
    logger: silentLogger,
    backoff: () => 0,
    bounds,
    ...overrides,
  })
  cleanUps.push(() => pool.close())
  return pool
}

function optionsOf(how: string): WorkerOptions {
  return { folder: how, provider: 'cpu', threads: 1, maxBatchTokens: 1_024, minSpeedup: 1 }
}

const read = (pool: WorkerPool, texts: readonly string[], call = history) =>
  pool.read(
    texts.map((text) => ({ title: '', text })),
    call,
  )

/** What the worker read: the length of each text, or that it is lethal. */
const lengths = (answers: readonly Answer[]) =>
  answers.map((answer) => (isLethal(answer) ? 'lethal' : answer.logits[0]))

const pidOf = (answers: readonly Answer[]) =>
  answers.flatMap((answer) => (isLethal(answer) ? [] : [answer.logits[1]]))[0]

/** A text that keeps its worker until the gate is opened. */
function createGate() {
  const file = join(temporaryFolder(), 'gate')
  const open = () => writeFileSync(file, '')
  cleanUps.push(open)
  return { text: `gate:${file}`, file, open }
}

describe('a worker that dies', () => {
  it('in the middle of a batch loses no text', async () => {
    const pool = await openPool({ count: 2 })
    const texts = Array.from({ length: 40 }, (_, i) => 'x'.repeat(i))
    texts[13] = `once:${join(temporaryFolder(), 'died')}`
    const answers = await read(pool, texts)
    assert.deepEqual(
      lengths(answers),
      texts.map(({ length }) => length),
    )
    const { deaths, texts: answered, lethalTexts } = pool.stats()
    assert.deepEqual({ deaths, answered, lethalTexts }, { deaths: 1, answered: 40, lethalTexts: 0 })
  })

  it('of a text, like others in its batch, convicts those texts and answers the rest', async () => {
    const pool = await openPool()
    assert.deepEqual(lengths(await read(pool, ['a', 'die', 'abc', 'crash'])), [
      1,
      'lethal',
      3,
      'lethal',
    ])
    const { deaths } = pool.stats()
    assert.deepEqual(lengths(await read(pool, ['crash', 'ab'])), ['lethal', 2])
    assert.equal(pool.stats().deaths, deaths, 'a copy of a lethal text costs no more workers')
  })

  it('of a text answers the copies that wait, which cost no more workers', async () => {
    const pool = await openPool({ job: { texts: 1, bytes: 1 } })
    const texts = ['die', 'die', 'a', 'die', 'die']
    assert.deepEqual(lengths(await read(pool, texts)), ['lethal', 'lethal', 1, 'lethal', 'lethal'])
    assert.equal(pool.stats().deaths, 2)
  })

  it('once while it reads one text alone convicts nobody', async () => {
    const pool = await openPool()
    const text = `once:${join(temporaryFolder(), 'died')}`
    assert.deepEqual(lengths(await read(pool, [text])), [text.length])
    assert.equal(pool.stats().deaths, 1)
  })

  it('because it hangs is killed, and the others go on', async () => {
    const soon = { ...bounds, answerWithinMs: 1_000, aloneWithinMs: 1_000 }
    const pool = await openPool({ count: 2, bounds: soon })
    const hung = read(pool, ['hang'])
    assert.deepEqual(lengths(await read(pool, ['abc'])), [3])
    assert.deepEqual(lengths(await hung), ['lethal'])
  })

  it('because its answer has another shape than the question is not believed', async () => {
    const pool = await openPool()
    assert.deepEqual(lengths(await read(pool, ['short'])), ['lethal'])
  })

  it('and cannot start again leaves calls waiting until it can', async () => {
    const folder = temporaryFolder()
    const obstacle = join(folder, 'obstacle')
    const healths: (string | undefined)[] = []
    const backoff = (deathsInRow: number) => {
      healths[deathsInRow] = pool.health()?.code
      if (deathsInRow === 3) rmSync(obstacle)
      return 0
    }
    const pool = await openPool({ how: `perish-with:${obstacle}`, backoff })
    writeFileSync(obstacle, '')
    const fatal = `once:${join(folder, 'died')}`
    assert.deepEqual(lengths(await read(pool, ['abc', fatal])), [3, fatal.length])
    assert.deepEqual(healths.slice(1), [undefined, 'WORKER', 'WORKER'])
    assert.equal(pool.health(), undefined)
  })

  it('and cannot start again leaves calls waiting until their deadline', async () => {
    const obstacle = join(temporaryFolder(), 'obstacle')
    const pool = await openPool({ how: `perish-with:${obstacle}`, backoff: () => 50 })
    const soon: Call = { ...live, withinMs: 300 }
    await assert.rejects(read(pool, [`once:${obstacle}`], soon), {
      code: 'DEADLINE',
      retryable: true,
    })
  })
})

describe('a worker that does not start', () => {
  it('because it refuses rejects the creation with what it says', async () => {
    await assert.rejects(openPool({ how: 'refuse', count: 2 }), {
      code: 'MODEL',
      message: 'The model is not the one',
    })
  })

  it('again and again rejects the creation with its last words, made inert', async () => {
    const obstacle = join(temporaryFolder(), 'obstacle')
    writeFileSync(obstacle, '')
    await assert.rejects(openPool({ how: `perish-with:${obstacle}` }), {
      code: 'WORKER',
      message: 'A worker process does not start: ended with code 127: no such library',
    })
  })

  it('in time is killed', async () => {
    await assert.rejects(openPool({ how: 'mute', bounds: { ...bounds, startWithinMs: 100 } }), {
      code: 'WORKER',
      message: /was not ready within 100 ms; ended with SIGKILL$/,
    })
  })

  it('within its memory rejects the creation instead of being replaced for ever', async () => {
    await assert.rejects(openPool({ memoryBytes: 0 }), {
      code: 'CONFIG',
      message: /takes 1 MB before .* WORKERS_MEMORY_MEGABYTES allows 0\.$/,
    })
  })
})

describe('a full queue', () => {
  it('refuses what does not fit, and all that it took is answered', async () => {
    const gate = createGate()
    const pool = await openPool({ queue: { texts: 4_096, bytes: 1_000_000 } })
    const first = read(pool, [gate.text])
    const calls = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const texts = Array.from({ length: 100 }, (_, j) => 'x'.repeat(i + j))
        const answers = read(pool, texts).then(lengths, (error) => error.code)
        assert.ok(pool.stats().queuedTexts <= 4_096)
        return { answers, expected: texts.map(({ length }) => length) }
      }),
    )
    gate.open()
    await first
    const outcomes = await Promise.all(
      calls.map(async ({ answers, expected }) => {
        const outcome = await answers
        if (outcome === 'OVERLOADED') return 0
        assert.deepEqual(outcome, expected)
        return expected.length
      }),
    )
    const taken = outcomes.reduce((sum, texts) => sum + texts, 0)
    // One job of 128 was in reserve when the queue filled up.
    assert.ok(taken > 4_000 && taken <= 4_096 + 128, `${taken} taken`)
    assert.deepEqual(pool.stats().queuedBytes, 0)
  })

  it('is read live before history', async () => {
    const gate = createGate()
    const pool = await openPool({ job: { texts: 1, bytes: 1 } })
    const order: string[] = []
    const calls = [
      { text: gate.text, call: live },
      { text: 'in reserve', call: live },
      { text: 'history', call: history },
      { text: 'live', call: live },
      { text: 'urgent', call: { ...live, withinMs: 1_000_000 } },
    ].map(async ({ text, call }) => {
      await read(pool, [text], call)
      order.push(text)
    })
    gate.open()
    await Promise.all(calls)
    assert.deepEqual(order, [gate.text, 'in reserve', 'urgent', 'live', 'history'])
  })

  it('lets go of a call whose deadline comes, but not of one that has begun', async () => {
    const gate = createGate()
    const pool = await openPool({ job: { texts: 1, bytes: 1 } })
    const soon: Call = { ...live, withinMs: 100 }
    const begun = read(pool, [gate.text], soon)
    const inReserve = read(pool, ['a'])
    await assert.rejects(read(pool, ['b', 'c', 'd'], soon), { code: 'DEADLINE' })
    assert.equal(pool.stats().queuedTexts, 0)
    gate.open()
    await Promise.all([begun, inReserve])
  })
})

describe('a worker that has grown beyond its memory', () => {
  it('finishes what it has and is replaced', async () => {
    const pool = await openPool()
    const [before, after] = [await read(pool, ['leak']), await read(pool, ['a'])]
    assert.notEqual(pidOf(before), pidOf(after))
    const { deaths, restarts } = pool.stats()
    assert.deepEqual({ deaths, restarts }, { deaths: 0, restarts: 1 })
  })
})

describe('close', () => {
  it('finishes jobs in hand, rejects what waits, and leaves no process', async () => {
    const gate = createGate()
    const pool = await openPool({ job: { texts: 1, bytes: 1 } })
    const [busy, inReserve, waiting] = [gate.text, 'reserve', 'waits'].map((text) =>
      read(pool, [text]),
    )
    const closed = Promise.all([pool.close(), pool.close()])
    await assert.rejects(waiting ?? Promise.resolve(), { code: 'WORKER', retryable: true })
    await assert.rejects(read(pool, ['late']), { code: 'WORKER' })
    gate.open()
    const [answers] = await Promise.all([busy, inReserve, closed])
    assert.throws(() => process.kill(pidOf(answers ?? []) ?? 0, 0), { code: 'ESRCH' })
  })

  it('abandons a job that does not end', async () => {
    const pool = await openPool({ bounds: { ...bounds, closeWithinMs: 100 } })
    const hung = assert.rejects(read(pool, ['hang']), { code: 'WORKER' })
    await Promise.all([hung, pool.close()])
  })
})

describe('a parent that is killed', () => {
  it('leaves no worker behind, neither an idle nor a busy one', async () => {
    const gate = createGate()
    const socket = join(temporaryFolder(), 'link')
    const links: Socket[] = []
    const server = createServer((link) => links.push(link.resume())).listen(socket)
    cleanUps.push(() => server.close())
    const parent = spawn(
      process.execPath,
      [
        join(import.meta.dirname, 'pool-parent.fixture.js'),
        entry,
        JSON.stringify(optionsOf(`linked:${socket}`)),
        gate.file,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(parent.stdout, 'data')
    while (links.length < 2) await once(server, 'connection')
    const ends = links.map((link) => once(link, 'close'))
    parent.kill('SIGKILL')
    await once(parent, 'close')
    await Promise.race(ends)
    gate.open()
    await Promise.all(ends)
  })
})
