import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { createChdbConnection } from 'chdb/connection'
import { silentLogger } from '../../infra/logger.ts'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { ClickHouse, type ClientOptions, connectClient } from '../../infra/store/clickhouse.ts'
import { migrate } from '../../infra/store/migrate.ts'
import {
  createPartitionWriter,
  type PartitionWriter,
  type WriterOptions,
} from '../../pipeline/writer.ts'
import { batchOf, logTopic } from './sample-posts.fixture.ts'
import { assertStored } from './writer-process.fixture.ts'

describe('two writers on one partition', () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  /** Connections of their own, as two processes have to a server: inserts of one store would queue. */
  function connect() {
    const connection: unknown = createChdbConnection({ path: folder.path })
    const engine = new ClickHouse({
      connect: () => connectClient({ connection } as ClientOptions),
      where: folder.path,
      engine: 'embedded',
    })
    return Object.assign(engine, { boot: 'shared', replicated: false })
  }
  const engines = [connect(), connect()] as const

  before(async () => {
    await migrate(engines[0])
  })

  const writerOn = (store: WriterOptions['store']): PartitionWriter =>
    createPartitionWriter({
      store,
      partition: { logTopic, partition: 0 },
      logger: silentLogger,
      clock: () => 0,
      backoff: () => 1,
      maxRepeats: 100,
    })

  async function writeUpTo(next: number, step: number, writer: PartitionWriter): Promise<void> {
    await writer.start()
    while (writer.mark < next - 1) {
      const from = writer.mark + 1
      await writer.write(batchOf(from, Math.min(next, from + step)))
    }
  }

  it('store every offset once, at the same moment and after a sleep longer than the deduplication window', async () => {
    const [first, second] = engines
    await Promise.all([writeUpTo(120, 7, writerOn(first)), writeUpTo(120, 5, writerOn(second))])

    await first.command(
      'ALTER TABLE analyses MODIFY SETTING non_replicated_deduplication_window = 2',
    )
    const gate = new EventEmitter()
    const asleep = once(gate, 'asleep')
    const awake = once(gate, 'wake')
    const outcomes: string[] = []
    const zombie = writerOn({
      boot: first.boot,
      replicated: false,
      query: first.query.bind(first),
      mark: first.mark.bind(first),
      async insertBlock(block) {
        gate.emit('asleep')
        await awake
        const outcome = await first.insertBlock(block)
        outcomes.push(outcome.kind)
        return outcome
      },
    })
    const sleeping = writeUpTo(140, 10, zombie)
    await asleep
    await writeUpTo(135, 3, writerOn(second))
    gate.emit('wake')
    await sleeping
    assert.deepEqual(outcomes, ['mark-moved', 'acknowledged'])

    await first.close()
    await second.close()
    await assertStored(folder.path, 140)
  })
})
