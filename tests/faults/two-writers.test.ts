import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { createChdbConnection } from 'chdb/connection'
import { silentLogger } from '../../infra/logger.ts'
import { sampleBlock, temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { ClickHouse, type ClientOptions, connectClient } from '../../infra/store/clickhouse.ts'
import { checkContinuity } from '../../infra/store/continuity.ts'
import { migrate } from '../../infra/store/migrate.ts'
import { type Column, columnsSql, insertSql } from '../../infra/store/sql.ts'
import { embeddedForm } from '../../infra/store/statement-form.ts'
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
      form: embeddedForm,
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
    let mark = await writer.mark()
    while (mark < next - 1) {
      const from = mark + 1
      mark = await writer.write(batchOf(from, Math.min(next, from + step)))
    }
  }

  /** One insert of `rows` offsets behind `mark`, as a store sends it, but all inline: chdb queues statements with parameters. */
  async function insert(
    engine: ClickHouse,
    log: string,
    mark: number,
    token: string,
    rows: number,
  ) {
    const columns = await engine.query<Column>(columnsSql, { table: 'analyses' })
    const sql = insertSql({
      table: 'analyses',
      columns,
      fence: 'analyses',
      rowsIn: 'parameter',
      maxExecutionMs: 10_000,
    })
    const offsets = Array.from({ length: rows }, (_, at) => ({
      offset: mark + 1 + at,
      log_topic: log,
    }))
    const { rows: lines, ...block } = sampleBlock(offsets, { logTopic: log, mark, token })
    await engine.command(sql, { ...block, body: lines.join('\n') })
  }

  /** The same offsets twice at the same moment, in blocks of different lengths, for some rounds. */
  async function race(log: string, tokenOf: (mark: number, writer: number) => string) {
    const partition = { logTopic: log, partition: 0 }
    for (let round = 0; round < 5; round += 1) {
      const mark = await engines[0].mark(partition)
      const inserts = engines.map((engine, writer) =>
        insert(engine, log, mark, tokenOf(mark, writer), 3 + writer),
      )
      await Promise.allSettled(inserts)
    }
    const faults = await checkContinuity(engines[0], log)
    return { faults: faults.length, mark: await engines[0].mark(partition) }
  }

  it('store one of two blocks that pass the fence at the same moment, because their tokens are the same', async () => {
    const same = await race('same@0', (mark) => `same@0/0/${mark + 1}`)
    assert.equal(same.faults, 0)
    assert.ok(same.mark >= 14)
    // The race is real: with tokens of their own both land.
    const apart = await race('apart@0', (mark, writer) => `apart@0/0/${mark + 1}/${writer}`)
    assert.ok(apart.faults > 0)
  })

  it('store every offset once, also after a sleep longer than the deduplication window', async () => {
    const [first, second] = engines
    await Promise.all([writeUpTo(60, 7, writerOn(first)), writeUpTo(60, 5, writerOn(second))])

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
    const sleeping = writeUpTo(80, 10, zombie)
    await asleep
    await writeUpTo(75, 3, writerOn(second))
    gate.emit('wake')
    await sleeping
    assert.deepEqual(outcomes, ['mark-moved', 'acknowledged'])

    // Left by the race that was meant to double rows.
    await first.command(
      `ALTER TABLE analyses DELETE WHERE log_topic != '${logTopic}' SETTINGS mutations_sync = 1, lightweight_mutation_projection_mode = 'rebuild'`,
    )
    await first.close()
    await second.close()
    await assertStored(folder.path, 80)
  })
})
