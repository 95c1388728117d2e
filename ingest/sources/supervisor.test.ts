import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import type { SourceConfig } from '../../infra/config-sources.ts'
import { AppError } from '../../infra/errors.ts'
import { silentLogger } from '../../infra/logger.ts'
import { ScriptedLog } from '../scripted-log.fixture.ts'
import { VirtualTime } from '../virtual-time.fixture.ts'
import { createLogDelivery } from './delivery.ts'
import { createSourceMetrics } from './metrics.ts'
import { type RunContext, type Source, SourceError } from './source.ts'
import { createStateStore } from './state.ts'
import { Supervisor } from './supervisor.ts'

const minute = 60_000
const none = { fresh: 0, corrected: 0, repeated: 0, refused: 0 }
let folder: string
let time: VirtualTime
let lines: { source: string; msg: string }[]
let registry: Registry

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickertone-sources-'))
  time = new VirtualTime(Date.parse('2024-03-05T10:00:00Z'))
  lines = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const config = (more: Partial<SourceConfig> = {}): SourceConfig =>
  ({ type: 'file-tail', name: 'wire', owner: 'desk', ...more }) as SourceConfig

const logger = () =>
  pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) })

/** A source whose runs are the steps, one after the other; the last one goes on. */
function supervise(steps: readonly Source['run'][], more: Partial<SourceConfig> = {}) {
  registry = new Registry()
  let next = 0
  let finish: () => void = () => {}
  const allBegun = new Promise<void>((resolve) => {
    finish = resolve
  })
  const source: Source = {
    schedule: undefined,
    run: (context) => {
      const step = steps[next++]
      if (next >= steps.length) finish()
      return step === undefined ? untilStopped(context) : step(context)
    },
    preview: async () => undefined,
  }
  const supervisor = new Supervisor({
    config: config(more),
    source,
    delivery: createLogDelivery({ log: new ScriptedLog(), clock: time.clock }),
    state: createStateStore(folder, silentLogger),
    clock: time.clock,
    sleep: time.sleep,
    random: () => 0,
    logger: logger(),
    metrics: createSourceMetrics(registry),
    backoff: { initialMs: 1_000, maxMs: 60_000 },
  })
  return { supervisor, allBegun }
}

const untilStopped = ({ signal }: RunContext) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

const fail = async () => {
  throw new AppError('SOURCE', 'no\u001b[31mbody there')
}

describe('Supervisor', () => {
  it('runs a source that throws again, later and later, and says who looks after it', async () => {
    const { supervisor, allBegun } = supervise([fail, fail, fail, untilStopped])
    const startMs = time.now
    supervisor.start()
    await allBegun
    assert.equal(supervisor.status().phase, 'reading')
    assert.equal(supervisor.status().failures, 3)
    assert.equal(supervisor.status().lastError, 'no [31mbody there')
    assert.ok(time.now > startMs)
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      Array(3).fill('source failed'),
    )
    assert.match(JSON.stringify(lines[0]), /"owner":"desk"/)
    await supervisor.stop()
    assert.equal(supervisor.status().phase, 'stopped')
    assert.match(await registry.metrics(), /source_failures_total\{source="wire"\} 3/)
  })

  it('waits as long as a host asks for', async () => {
    const askedMs = time.now + 3_600_000
    const { supervisor, allBegun } = supervise([
      async () => {
        throw new SourceError('busy', { retryAtMs: askedMs })
      },
      untilStopped,
    ])
    supervisor.start()
    await allBegun
    assert.ok(time.now >= askedMs)
    await supervisor.stop()
  })

  it('forgets its failures at the first good reading', async () => {
    const { supervisor, allBegun } = supervise([
      fail,
      async (context) => {
        context.onReading({ ...none, fresh: 2 })
        await untilStopped(context)
      },
    ])
    supervisor.start()
    await allBegun
    const { failures, lastError, counts, lastItemMs } = supervisor.status()
    assert.deepEqual([failures, lastError, counts.fresh, lastItemMs], [0, undefined, 2, time.now])
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['source failed', 'source works again'],
    )
    await supervisor.stop()
  })

  it('reports a silent source once, and that it is back', async () => {
    let context: RunContext | undefined
    const { supervisor, allBegun } = supervise(
      [
        async (given) => {
          context = given
          await untilStopped(given)
        },
      ],
      { silentAfterMinutes: 30 },
    )
    supervisor.start()
    await allBegun
    time.now += 30 * minute
    supervisor.watchSilence()
    assert.equal(supervisor.status().silent, false)
    time.now += minute
    context?.onReading(none)
    supervisor.watchSilence()
    assert.equal(supervisor.status().silent, true)
    assert.match(await registry.metrics(), /source_silent\{source="wire"\} 1/)
    context?.onReading({ ...none, fresh: 1 })
    assert.equal(supervisor.status().silent, false)
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['source is silent', 'source is back'],
    )
    await supervisor.stop()
  })

  it('remembers over a restart when an item last came', async () => {
    const once: Source['run'] = async (context) => {
      context.onReading({ ...none, fresh: 1 })
      await context.save({ lastSuccessMs: time.now })
      await untilStopped(context)
    }
    const first = supervise([once])
    first.supervisor.start()
    await first.allBegun
    await first.supervisor.stop()
    const cameMs = time.now
    time.now += 5 * minute
    const second = supervise([untilStopped])
    second.supervisor.start()
    await second.allBegun
    assert.equal(second.supervisor.status().lastItemMs, cameMs)
    await second.supervisor.stop()
  })

  it('stops a source that waits for its next attempt', async () => {
    const { supervisor } = supervise([fail])
    supervisor.start()
    await supervisor.stop()
    await supervisor.stop()
    assert.equal(supervisor.status().phase, 'stopped')
  })
})

describe('createStateStore', () => {
  it('keeps what was saved, and takes a damaged file for none', async () => {
    const store = createStateStore(join(folder, 'states'), logger())
    assert.deepEqual(await store.load('wire'), {})
    await store.save('wire', { newestMs: 5, seen: [['a', 'b', 0]] })
    assert.deepEqual(await store.load('wire'), { newestMs: 5, seen: [['a', 'b', 0]] })
    assert.deepEqual(readdirSync(join(folder, 'states')), ['wire.json'])
    for (const damaged of ['{"newestMs":', '{"seen":[["a"]]}', '']) {
      writeFileSync(join(folder, 'states', 'wire.json'), damaged)
      assert.deepEqual(await store.load('wire'), {})
    }
    assert.equal(lines.length, 3)
  })

  it('says that a folder cannot be used', async () => {
    writeFileSync(join(folder, 'file'), '')
    const store = createStateStore(join(folder, 'file', 'states'), silentLogger)
    await assert.rejects(store.save('wire', {}), { code: 'DATA_FOLDER' })
  })
})
