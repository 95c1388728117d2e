import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError } from '../errors.ts'
import { type SampleRow, sampleBlock, temporaryFolder } from './analyses.fixture.ts'
import { checkContinuity } from './continuity.ts'
import { openEmbeddedStore } from './embedded.ts'
import type { PlacedRow } from './log-order.ts'
import type { Store } from './store.ts'
import { type Cursor, createTail, type Tail } from './tail.ts'

describe('tail', () => {
  const folder = temporaryFolder()
  let store: Store

  before(async () => {
    store = await openEmbeddedStore({ path: folder.path })
  })
  after(async () => {
    await store.close()
    folder.remove()
  })

  /** One block of `rows` behind the mark `mark`, in a log of the test's own. */
  async function put(logTopic: string, rows: readonly SampleRow[], mark?: number): Promise<void> {
    const partition = rows[0]?.partition ?? 0
    const token = `${logTopic}/${partition}/${rows[0]?.offset}/${mark}`
    const block = sampleBlock(
      rows.map((row) => ({ log_topic: logTopic, ...row })),
      { logTopic, partition, token, ...(mark === undefined ? {} : { mark }) },
    )
    assert.deepEqual(await store.insertBlock(block), { kind: 'acknowledged' })
  }

  async function readAll(
    tail: Tail,
    limit: number,
  ): Promise<{ rows: PlacedRow[]; cursor: Cursor }> {
    const rows: PlacedRow[] = []
    let cursor: Cursor = {}
    for (;;) {
      const batch = await tail.read<PlacedRow>(cursor, limit)
      if (batch.rows.length === 0) return { rows, cursor }
      rows.push(...batch.rows)
      cursor = batch.cursor
    }
  }

  const places = (rows: readonly PlacedRow[]) =>
    rows.map((row) => `${row.partition}/${row.offset}.${row.ordinal}`)
  const second = (n: number) => `2026-11-24 10:00:${String(n).padStart(2, '0')}.000`

  it('gives an unchanged cursor when nothing is stored', async () => {
    const cursor = { 0: 3 }
    const batch = await createTail(store, 'none@0').read(cursor, 10)
    assert.deepEqual(batch.rows, [])
    assert.equal(batch.cursor, cursor)
    assert.deepEqual(await createTail(store, 'none@0').end(), {})
  })

  it('merges partitions by time, in whole offsets, whatever the limit', async () => {
    await put('merge@0', [
      { offset: 0, appended_at: second(1) },
      { offset: 0, ordinal: 1, appended_at: second(1) },
      { offset: 0, ordinal: 2, appended_at: second(1) },
      { offset: 1, appended_at: second(5) },
    ])
    await put('merge@0', [{ offset: 2, appended_at: second(6) }])
    await put('merge@0', [
      { partition: 3, offset: 0, appended_at: second(2) },
      { partition: 3, offset: 1, appended_at: second(7) },
    ])
    const expected = ['0/0.0', '0/0.1', '0/0.2', '3/0.0', '0/1.0', '0/2.0', '3/1.0']
    const tail = createTail(store, 'merge@0', ['post_id'])
    for (const limit of [1, 2, 3, 4, 100]) {
      const { rows, cursor } = await readAll(tail, limit)
      assert.deepEqual(places(rows), expected, `limit ${limit}`)
      assert.deepEqual(cursor, { 0: 3, 3: 2 })
      assert.deepEqual(cursor, await tail.end())
    }
    assert.equal((await tail.read({}, 2)).rows.length, 3)
  })

  it('goes on from a cursor and finds partitions that appear', async () => {
    await put('grow@0', [{ offset: 0 }])
    const tail = createTail(store, 'grow@0')
    const end = await tail.end()
    assert.deepEqual((await tail.read(end, 10)).rows, [])
    await put('grow@0', [{ offset: 1 }])
    await put('grow@0', [{ partition: 7, offset: 0 }])
    const { rows, cursor } = await tail.read<PlacedRow>(end, 10)
    assert.deepEqual(places(rows), ['0/1.0', '7/0.0'])
    assert.deepEqual(cursor, { 0: 2, 7: 1 })
  })

  it('has all columns unless told', async () => {
    await put('columns@0', [
      {
        offset: 0,
        text: 'whole',
        'experts.name': ['linear'],
        'experts.version': ['1'],
        'experts.task': ['sentiment'],
        'experts.weight': [1],
        'experts.probabilities': [[0.25]],
        'experts.ran': [true],
        'experts.run_probability': [1],
        'experts.shadow': [false],
        'experts.cost_ms': [0],
      },
    ])
    const all = await createTail(store, 'columns@0').read<Record<string, unknown>>({}, 1)
    assert.equal(all.rows[0]?.text, 'whole')
    assert.deepEqual(all.rows[0]?.['experts.probabilities'], [[0.25]])
    assert.equal(all.rows[0]?.history, false)
    const few = await createTail(store, 'columns@0', ['score']).read<Record<string, unknown>>({}, 1)
    assert.deepEqual(Object.keys(few.rows[0] ?? {}).sort(), [
      'appended_at',
      'block_start',
      'gap_from',
      'offset',
      'ordinal',
      'partition',
      'score',
    ])
  })

  it('delivers up to a hole and then names it', async () => {
    await put('hole@0', [{ offset: 0 }, { offset: 1 }])
    await put('hole@0', [{ offset: 5 }, { offset: 6 }], 1)
    const tail = createTail(store, 'hole@0')
    const { rows, cursor } = await tail.read<PlacedRow>({}, 100)
    assert.deepEqual(places(rows), ['0/0.0', '0/1.0'])
    await assert.rejects(
      tail.read(cursor, 100),
      (error) =>
        error instanceof AppError &&
        error.code === 'STORE' &&
        /offsets 2 to 4 of hole@0\/0 are missing/.test(error.message),
    )
    const lagging = createTail({ query: store.query, replicated: true }, 'hole@0')
    await assert.rejects(
      lagging.read(cursor, 100),
      (error) => error instanceof AppError && error.code === 'STORE_LAGGING' && error.retryable,
    )
    assert.deepEqual(await checkContinuity(store, 'hole@0'), [
      { logTopic: 'hole@0', partition: 0, kind: 'hole', from: 2, to: 4 },
    ])
  })

  it('names a block that was stored twice', async () => {
    await put('double@0', [{ offset: 0 }])
    await store.command(
      "INSERT INTO analyses SETTINGS insert_deduplicate = 0 SELECT * FROM analyses WHERE log_topic = 'double@0'",
    )
    await assert.rejects(
      createTail(store, 'double@0').read({}, 10),
      (error) =>
        error instanceof AppError &&
        /offsets 0 to 0 of double@0\/0 are more than once/.test(error.message),
    )
  })

  it('checks continuity over pages, neighbouring faults as one', async () => {
    const rows = Array.from({ length: 30_000 }, (_, offset) => ({ offset }))
    await put('long@0', rows)
    assert.deepEqual(await checkContinuity(store, 'long@0'), [])
    await store.command(
      "INSERT INTO analyses SELECT * FROM analyses WHERE log_topic = 'long@0' AND offset BETWEEN 19990 AND 20010",
    )
    assert.deepEqual(await checkContinuity(store, 'long@0'), [
      { logTopic: 'long@0', partition: 0, kind: 'double', from: 19_990, to: 20_010 },
    ])
  })
})
