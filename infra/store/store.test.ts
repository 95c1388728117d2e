import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../errors.ts'
import { sampleBlock } from './analyses.fixture.ts'
import { currentEpoch, logTopicOf, startEpoch } from './epochs.ts'
import { type OpenedStore, openings } from './openings.fixture.ts'
import type { Store } from './store.ts'

for (const opening of openings)
  describe(`the store ${opening.name}`, () => {
    let opened: OpenedStore
    let store: Store

    before(async () => {
      opened = await opening.open()
      store = opened.store
      await store.command(
        'CREATE TABLE scratch (id UInt32, text String) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100',
      )
    })
    after(() => opened.close())

    const count = async (table: string): Promise<number> =>
      (await store.query<{ rows: number }>(`SELECT count() AS rows FROM ${table}`))[0]?.rows ?? -1

    it('has a mark of -1 for an empty partition and 0 after offset 0', async () => {
      const partition = { logTopic: 'posts@0', partition: 0 }
      assert.equal(await store.mark(partition), -1)
      const block = sampleBlock([{ offset: 0 }])
      assert.deepEqual(await store.insertBlock(block), { kind: 'acknowledged' })
      assert.equal(await store.mark(partition), 0)
      assert.equal(await store.mark({ ...partition, partition: 1 }), -1)
      assert.equal(await store.mark({ ...partition, logTopic: 'posts@1' }), -1)
    })

    it('refuses a block whose mark has moved, and inserts nothing of it', async () => {
      const partition = { logTopic: 'fence@0', partition: 0 }
      const at = (offset: number, mark: number, token: string) =>
        sampleBlock([{ offset, log_topic: 'fence@0' }], { ...partition, mark, token })
      assert.equal((await store.insertBlock(at(0, -1, 'fence-a'))).kind, 'acknowledged')
      assert.equal((await store.insertBlock(at(0, -1, 'fence-b'))).kind, 'mark-moved')
      assert.equal((await store.insertBlock(at(5, 4, 'fence-c'))).kind, 'mark-moved')
      assert.equal((await store.insertBlock(at(1, 0, 'fence-d'))).kind, 'acknowledged')
      assert.equal(await count("analyses WHERE log_topic = 'fence@0'"), 2)
    })

    it('keeps one of two blocks with the same token, acknowledging both', async () => {
      const at = (offset: number) => ({
        ...sampleBlock([{ offset, log_topic: 'token@0' }], { logTopic: 'token@0', mark: -1 }),
        token: 'same',
      })
      const outcomes = await Promise.all([store.insertBlock(at(0)), store.insertBlock(at(0))])
      assert.ok(outcomes.some((outcome) => outcome.kind === 'acknowledged'))
      assert.equal(await count("analyses WHERE log_topic = 'token@0'"), 1)
    })

    it('leaks no setting of a block into later statements', async () => {
      await store.insertBlock(
        sampleBlock([{ offset: 0, log_topic: 'leak@0' }], { logTopic: 'leak@0' }),
      )
      await store.insert('scratch', [{ id: 1, text: 'same' }])
      await store.insert('scratch', [{ id: 2, text: 'other' }])
      await store.command("INSERT INTO scratch VALUES (3, 'third')")
      await store.command("INSERT INTO scratch VALUES (4, 'fourth')")
      assert.equal(await count('scratch'), 4)
      const changed = await store.query(
        "SELECT name FROM system.settings WHERE changed AND (name LIKE '%dedup%' OR name LIKE 'min_insert%' OR name LIKE 'max_execution%')",
        {},
        { lane: 'writer' },
      )
      // The query's own limit is the only one.
      assert.deepEqual(changed, [{ name: 'max_execution_time' }])
      const limits = await store.query(
        "SELECT value FROM system.settings WHERE name = 'max_execution_time'",
        {},
        { lane: 'writer', maxExecutionMs: 7_000 },
      )
      assert.deepEqual(limits, [{ value: '7' }])
    })

    it('reports an unparsable row as an unknown outcome without quoting it', async () => {
      const block = {
        ...sampleBlock([{ offset: 0 }], { logTopic: 'bad@0' }),
        rows: ['{"offset":"secret text"}'],
      }
      const outcome = await store.insertBlock(block)
      assert.equal(outcome.kind, 'unknown')
      assert.ok(outcome.kind === 'unknown' && outcome.error instanceof AppError)
      assert.equal(outcome.error.code, 'STORE')
      assert.doesNotMatch(outcome.error.message, /secret/)
      assert.match(outcome.error.message, /offsets 0 to 0 of bad@0\/0/)
    })

    it('refuses a row with a column that the table lacks', async () => {
      const block = { ...sampleBlock([{ offset: 0, colour: 'red' }], { logTopic: 'bad@0' }) }
      assert.equal((await store.insertBlock(block)).kind, 'unknown')
      assert.equal(await store.mark({ logTopic: 'bad@0', partition: 0 }), -1)
    })

    it('stores any text unchanged, lone surrogates repaired', async () => {
      let id = 1_000
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
          id += 1
          await store.insert('scratch', [{ id, text }])
          const rows = await store.query(
            'SELECT text FROM scratch WHERE id = {id:UInt32} AND text = {text:String}',
            { id, text: text.toWellFormed() },
          )
          assert.deepEqual(rows, [{ text: text.toWellFormed() }])
        }),
        {
          numRuns: 30,
          examples: [['\ud800 \0 \u202e \u200b <script>\'"\\ {a:String} ;\n\nFORMAT']],
        },
      )
    })

    it('stops a query at its limit and says so', async () => {
      await assert.rejects(
        store.query('SELECT sum(sleepEachRow(0.1)) FROM numbers(20)', {}, { maxExecutionMs: 300 }),
        (error) =>
          error instanceof AppError &&
          error.code === 'STORE' &&
          error.retryable &&
          /TIMEOUT_EXCEEDED/.test(error.message),
      )
    })

    it('answers pages and stores blocks while an analyst waits', async () => {
      let analystDone = false
      const slow = store
        .query(
          'SELECT sum(sleepEachRow({each:Float64})) FROM numbers(10)',
          { each: 0.2 },
          { lane: 'analyst' },
        )
        .then(() => {
          analystDone = true
        })
      assert.deepEqual(await store.query('SELECT {n:UInt8} AS n', { n: 1 }, { lane: 'pages' }), [
        { n: 1 },
      ])
      const block = sampleBlock([{ offset: 0, log_topic: 'beside@0' }], { logTopic: 'beside@0' })
      assert.equal((await store.insertBlock(block)).kind, 'acknowledged')
      assert.equal(analystDone, false)
      await slow
    })

    it('keeps the engine’s words on a person’s query, in one line', async () => {
      await assert.rejects(
        store.query('SELECT nosuch -- a comment'),
        (error) =>
          error instanceof AppError &&
          !error.retryable &&
          /UNKNOWN_IDENTIFIER/.test(error.message) &&
          !error.message.includes('\n'),
      )
    })

    it('counts epochs of a topic from 0', async () => {
      assert.equal(await currentEpoch(store, 'posts'), 0)
      assert.equal(await startEpoch(store, 'posts', 1_700_000_000_123), 1)
      assert.equal(await startEpoch(store, 'posts', 1_700_000_000_124), 2)
      assert.equal(await currentEpoch(store, 'posts'), 2)
      assert.equal(await currentEpoch(store, 'feedback'), 0)
      assert.deepEqual(await store.query('SELECT started_at FROM log_epochs WHERE epoch = 1'), [
        { started_at: '2023-11-14 22:13:20.123' },
      ])
      assert.equal(logTopicOf('posts', 2), 'posts@2')
    })

    it('syncs every table to the disk before an insert resolves', async () => {
      const tables = await store.query<{ name: string }>(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'scratch' AND NOT (engine_full LIKE '%fsync_after_insert = 1%' AND engine_full LIKE '%fsync_part_directory = 1%')",
      )
      assert.deepEqual(tables, [])
    })
  })
