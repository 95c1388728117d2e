/** What pipeline/writer-model.test.ts tries on a model, on the real engine over sockets that fail. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../../infra/logger.ts'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { type FrontProcess, startFrontProcess } from '../../infra/store/http-front.fixture.ts'
import { openServerStore } from '../../infra/store/server.ts'
import type { Store } from '../../infra/store/store.ts'
import { createPartitionWriter } from '../../pipeline/writer.ts'
import { type FaultProxy, type Script, startFaultProxy } from '../support/fault-proxy.fixture.ts'
import { batchOf } from './sample-posts.fixture.ts'

const offsets = 10
/** Fewer than one writer makes while the other sleeps. */
const window = 5

type Fault = 'none' | 'never-arrives' | 'cut-on-its-way' | 'answer-lost' | 'poisoned' | 'sleeps'

describe('two writers on one partition of a server', () => {
  const folder = temporaryFolder()
  let front: FrontProcess
  let proxies: readonly [FaultProxy, FaultProxy]
  let stores: readonly [Store, Store]
  let plain: Store

  before(async () => {
    front = await startFrontProcess({ path: folder.path })
    const proxied = () => startFaultProxy({ host: '127.0.0.1', port: front.port })
    proxies = [await proxied(), await proxied()]
    plain = await openServerStore({ url: front.url })
    const over = (proxy: FaultProxy) => openServerStore({ url: `http://127.0.0.1:${proxy.port}` })
    stores = [await over(proxies[0]), await over(proxies[1])]
    await plain.command(
      `ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = ${window}`,
    )
  })
  after(async () => {
    for (const store of [...stores, plain]) await store.close()
    for (const proxy of proxies) await proxy.close()
    await front.stop()
    folder.remove()
  })

  /** `afterFailure` is when it tries again. */
  async function writeAll(
    store: Store,
    logTopic: string,
    batch: number,
    afterFailure: () => Promise<void>,
  ): Promise<void> {
    const writer = createPartitionWriter({
      store,
      partition: { logTopic, partition: 0 },
      logger: silentLogger,
      clock: () => 0,
      backoff: () => 1,
    })
    let mark = -1
    while (mark < offsets - 1) {
      try {
        mark = await writer.mark()
        const { from, next, rows } = batchOf(mark + 1, Math.min(offsets, mark + 1 + batch))
        const placed = rows.map((row) => ({ ...row, log_topic: logTopic }))
        if (from < next) mark = await writer.write({ from, next, rows: placed })
      } catch {
        await afterFailure()
      }
    }
  }

  async function assertWhole(logTopic: string): Promise<void> {
    assert.deepEqual(await checkContinuity(plain, logTopic), [])
    assert.equal(await plain.mark({ logTopic, partition: 0 }), offsets - 1)
  }

  /** A token that the engine knows without rows of its block, as a crash leaves it. */
  async function poison(request: Buffer, logTopic: string): Promise<void> {
    const [, token = ''] = /insert_deduplication_token = '([^']*)'/.exec(request.toString()) ?? []
    const elsewhere = { logTopic: `elsewhere-${logTopic}`, partition: 0 }
    const mark = await plain.mark(elsewhere)
    const { rows } = batchOf(mark + 1, mark + 2)
    const lines = rows.map((row) => JSON.stringify({ ...row, log_topic: elsewhere.logTopic }))
    const block = { ...elsewhere, mark, last: mark + 1, rows: lines, token }
    await plain.insertBlock(block)
  }

  /** The n-th insert meets the n-th fault. */
  function scriptOf(faults: readonly Fault[], logTopic: string, other: Promise<void>): Script {
    const left = [...faults]
    let now: Fault = 'none'
    return async ({ at, request }) => {
      if (!request.includes('INSERT INTO')) return 'pass'
      if (at === 'answer') return now === 'answer-lost' ? 'cut' : 'pass'
      now = left.shift() ?? 'none'
      if (now === 'never-arrives') return 'reset'
      if (now === 'cut-on-its-way') return { cutAfter: request.length - 1 }
      if (now === 'poisoned') await poison(request, logTopic)
      if (now === 'sleeps') await other
      return 'pass'
    }
  }

  const faults = (...kinds: Fault[]) => fc.array(fc.constantFrom(...kinds), { maxLength: 4 })
  const common = ['none', 'never-arrives', 'cut-on-its-way', 'answer-lost'] as const

  it('store every offset once, whatever befalls their connections', async () => {
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        faults(...common, 'sleeps'),
        faults(...common, 'poisoned'),
        fc.integer({ min: 1, max: 5 }),
        async (first, second, batch) => {
          run += 1
          const logTopic = `posts@${run}`
          let done = (): void => undefined
          const secondDone = new Promise<void>((resolve) => {
            done = resolve
          })
          proxies[0].play(scriptOf(first, logTopic, secondDone))
          proxies[1].play(scriptOf(second, logTopic, Promise.resolve()))
          const again = async () => undefined
          await Promise.all([
            writeAll(stores[0], logTopic, batch, again),
            writeAll(stores[1], logTopic, 2, again).then(done),
          ])
          await assertWhole(logTopic)
        },
      ),
      {
        numRuns: 3,
        examples: [
          [['sleeps'], ['poisoned', 'answer-lost'], 1],
          [['cut-on-its-way', 'never-arrives'], ['answer-lost', 'poisoned'], 3],
        ],
      },
    )
  })

  it('go on with the server when it was killed under their inserts and came back', async () => {
    const logTopic = 'killed@0'
    for (const proxy of proxies) proxy.play()
    const underWay = proxies.map((proxy) =>
      proxy.hold('request', (request) => request.includes('INSERT INTO')),
    )
    let restarted: Promise<unknown> = Promise.resolve()
    const again = async () => {
      await restarted
    }
    const writing = stores.map((store, at) => writeAll(store, logTopic, 3 + at, again))
    const held = await Promise.all(underWay)
    for (const { decide } of held) decide('pass')
    const killed = front.kill()
    restarted = killed.then(async () => {
      front = await startFrontProcess({ path: folder.path, port: front.port })
    })
    await Promise.all(writing)
    await assertWhole(logTopic)
  })
})
