import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError } from '../infra/errors.ts'
import { silentLogger } from '../infra/logger.ts'
import { temporaryFolder } from '../infra/store/analyses.fixture.ts'
import { checkContinuity } from '../infra/store/continuity.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import type { Block, InsertOutcome, Store } from '../infra/store/store.ts'
import { emptyRow, type UnplacedRow } from './writer/gap.ts'
import { createPartitionWriter, type WriterOptions } from './writer.ts'

const time = '2026-11-24 10:00:00.000'
const appendedAt = Date.parse('2026-11-24T10:00:00.000Z')

describe('the partition writer', () => {
  const folder = temporaryFolder()
  let store: Store

  before(async () => {
    store = await openEmbeddedStore({ path: folder.path })
    // A merge would hide that a block came as two parts.
    await store.command('SYSTEM STOP MERGES analyses')
  })
  after(async () => {
    await store.close()
    folder.remove()
  })

  const post = (
    logTopic: string,
    offset: number,
    changes: Partial<UnplacedRow> = {},
  ): UnplacedRow => ({
    ...emptyRow({ logTopic, partition: 0 }, offset, time),
    outcome: 'scored',
    post_id: `post-${offset}`,
    ...changes,
  })
  const posts = (logTopic: string, from: number, next: number) =>
    Array.from({ length: next - from }, (_, at) => post(logTopic, from + at))

  const writerOf = (logTopic: string, changes: Partial<WriterOptions> = {}) =>
    createPartitionWriter({
      store,
      partition: { logTopic, partition: 0 },
      logger: silentLogger,
      clock: () => appendedAt,
      backoff: () => 0,
      ...changes,
    })

  /** What is stored, as 'offset' or 'from-offset' for gaps, in the order of the log. */
  const stored = async (logTopic: string): Promise<string[]> => {
    assert.deepEqual(await checkContinuity(store, logTopic), [])
    const rows = await store.query<{ at: string }>(
      "SELECT if(outcome = 'gap', concat(toString(gap_from), '-', toString(offset)), toString(offset)) AS at FROM analyses WHERE log_topic = {logTopic:String} AND ordinal = 0 ORDER BY offset",
      { logTopic },
    )
    return rows.map((row) => row.at)
  }

  it('starts at 0, and after that at the mark, of which it tells the last row', async () => {
    const writer = writerOf('start@0')
    assert.equal(await writer.mark(), -1)
    assert.equal(await writer.last(), undefined)
    assert.equal(await writer.appendedAt(), 0)
    const mentioned = post('start@0', 2, { ordinal: 1, instrument: 'US:1', post_id: 'post-2' })
    const rows = [...posts('start@0', 0, 3), mentioned]
    assert.equal(await writer.write({ from: 0, next: 3, rows }), 2)
    assert.equal(await writer.appendedAt(), appendedAt)
    const next = writerOf('start@0')
    assert.equal(await next.mark(), 2)
    const last = { partition: 0, mark: 2, outcome: 'scored', postId: 'post-2', appendedAt }
    assert.deepEqual(await next.last(), last)
    assert.equal(await next.write({ from: 2, next: 5, rows: posts('start@0', 2, 5) }), 4)
    assert.deepEqual(await stored('start@0'), ['0', '1', '2', '3', '4'])
  })

  it('leaves a row for every hole, so that the mark reaches the end', async () => {
    const writer = writerOf('holes@0')
    assert.equal(await writer.write({ from: 0, next: 4, rows: [] }), 3)
    assert.equal(
      await writer.write({ from: 4, next: 9, rows: [post('holes@0', 5), post('holes@0', 7)] }),
      8,
    )
    assert.deepEqual(await stored('holes@0'), ['0-3', '4-4', '5', '6-6', '7', '8-8'])
  })

  it('makes a gap as old as what is stored before it, also after a restart', async () => {
    const old = '2026-11-20 10:00:00.000'
    await writerOf('aged@0').write({
      from: 0,
      next: 1,
      rows: [post('aged@0', 0, { appended_at: old })],
    })
    const gap = { from: 1, next: 3, rows: [post('aged@0', 2)] }
    await writerOf('aged@0').write(gap)
    const rows = await store.query<{ at: string }>(
      "SELECT appended_at AS at FROM analyses WHERE log_topic = 'aged@0' ORDER BY offset",
    )
    assert.deepEqual(
      rows.map(({ at }) => at),
      [old, old, time],
    )
  })

  it('says of a gap that nobody read what stood there', async () => {
    const rows = [post('removed@0', 4), post('removed@0', 7)]
    await writerOf('removed@0').write({ from: 0, next: 8, rows, removedBelow: 4 })
    const gaps = await store.query(
      "SELECT gap_from AS first, offset AS last, reason FROM analyses WHERE log_topic = 'removed@0' AND outcome = 'gap' ORDER BY offset",
    )
    assert.deepEqual(gaps, [
      { first: 0, last: 3, reason: 'removed from the log before it was read' },
      { first: 5, last: 6, reason: '' },
    ])
  })

  it('refuses a batch that begins behind the next offset', async () => {
    const writer = writerOf('late@0')
    await assert.rejects(
      writer.write({ from: 1, next: 2, rows: posts('late@0', 1, 2) }),
      /begins at 1, but 0 is the next/,
    )
  })

  it('cuts by rows and month, each block one part', async () => {
    const rows = [
      ...posts('cut@0', 0, 5),
      ...posts('cut@0', 5, 7).map((row) => ({ ...row, appended_at: '2026-12-01 00:00:00.000' })),
    ]
    await writerOf('cut@0', { limits: { rows: 2, bytes: 1e6 } }).write({ from: 0, next: 7, rows })
    const parts = await store.query(
      "SELECT block_start AS start, uniqExact(_part) AS parts, count() AS rows FROM analyses WHERE log_topic = 'cut@0' GROUP BY start ORDER BY start",
    )
    assert.deepEqual(parts, [
      { start: 0, parts: 1, rows: 2 },
      { start: 2, parts: 1, rows: 2 },
      { start: 4, parts: 1, rows: 1 },
      { start: 5, parts: 1, rows: 2 },
    ])
  })

  it('goes on behind what another writer stored meanwhile', async () => {
    const slow = writerOf('two@0')
    await slow.mark()
    const fast = writerOf('two@0')
    await fast.write({ from: 0, next: 3, rows: posts('two@0', 0, 3) })
    assert.equal(await slow.write({ from: 0, next: 5, rows: posts('two@0', 0, 5) }), 4)
    assert.equal(await fast.write({ from: 3, next: 6, rows: posts('two@0', 3, 6) }), 5)
    assert.equal(await slow.write({ from: 5, next: 6, rows: posts('two@0', 5, 6) }), 5)
    assert.deepEqual(await stored('two@0'), ['0', '1', '2', '3', '4', '5'])
  })

  /** The store with its insert replaced for the first `times` calls. */
  function faulty(times: number, insert: (block: Block) => Promise<InsertOutcome>) {
    const tokens: string[] = []
    const insertBlock = (block: Block) => {
      tokens.push(block.token)
      return tokens.length <= times ? insert(block) : store.insertBlock(block)
    }
    return { tokens, store: { ...store, insertBlock } }
  }

  it('repeats an insert whose answer was lost, and keeps what had landed', async () => {
    const lost = faulty(1, async (block) => {
      await store.insertBlock(block)
      return { kind: 'unknown', error: new AppError('STORE', 'reset') }
    })
    await writerOf('lost@0', lost).write({ from: 0, next: 2, rows: posts('lost@0', 0, 2) })
    assert.equal(lost.tokens.length, 1)
    const never = faulty(2, async () => ({
      kind: 'unknown',
      error: new AppError('STORE', 'reset'),
    }))
    await writerOf('lost@0', never).write({ from: 2, next: 4, rows: posts('lost@0', 2, 4) })
    assert.equal(never.tokens.length, 3)
    assert.equal(new Set(never.tokens).size, 1)
    assert.deepEqual(await stored('lost@0'), ['0', '1', '2', '3'])
  })

  it('raises the attempt of a poisoned token', async () => {
    const poisoned = faulty(2, async () => ({ kind: 'acknowledged' }))
    await writerOf('poison@0', poisoned).write({ from: 0, next: 1, rows: posts('poison@0', 0, 1) })
    assert.deepEqual(
      poisoned.tokens,
      [0, 1, 2].map((attempt) => `poison@0/0/0/${store.boot}/${attempt}`),
    )
    assert.deepEqual(await stored('poison@0'), ['0'])
  })

  it('only waits for a replica, and gives up as lagging', async () => {
    const lagging = faulty(9, async () => ({ kind: 'acknowledged' }))
    const replicated = { ...lagging.store, replicated: true }
    await assert.rejects(
      writerOf('lag@0', { store: replicated, maxRepeats: 4 }).write({
        from: 0,
        next: 1,
        rows: posts('lag@0', 0, 1),
      }),
      (error) => error instanceof AppError && error.code === 'STORE_LAGGING' && error.retryable,
    )
    assert.equal(lagging.tokens.length, 1)
  })

  it('rejects with the store’s error after its repeats, and goes on at the next write', async () => {
    const full = new AppError('DISK_FULL', 'full', { retryable: true })
    const failing = faulty(3, async () => ({ kind: 'unknown', error: full }))
    const writer = writerOf('full@0', { store: failing.store, maxRepeats: 2 })
    await assert.rejects(writer.write({ from: 0, next: 1, rows: posts('full@0', 0, 1) }), full)
    assert.equal(await writer.write({ from: 0, next: 1, rows: posts('full@0', 0, 1) }), 0)
    assert.deepEqual(await stored('full@0'), ['0'])
  })

  it('stops at once when rows were lost below it', async () => {
    const writer = writerOf('gone@0')
    await writer.write({ from: 0, next: 2, rows: posts('gone@0', 0, 2) })
    await store.command('SYSTEM START MERGES analyses')
    await store.command(
      "ALTER TABLE analyses DELETE WHERE log_topic = 'gone@0' SETTINGS mutations_sync = 1, lightweight_mutation_projection_mode = 'rebuild'",
    )
    await assert.rejects(
      writer.write({ from: 2, next: 3, rows: posts('gone@0', 2, 3) }),
      /held offsets up to 1, and now up to -1/,
    )
  })

  it('ends a wait when it is told to stop', async () => {
    const stop = new AbortController()
    const failing = faulty(9, async () => {
      stop.abort()
      return { kind: 'unknown', error: new AppError('STORE', 'down') }
    })
    const writer = writerOf('stop@0', {
      store: failing.store,
      backoff: () => 3_600_000,
      signal: stop.signal,
    })
    await assert.rejects(
      writer.write({ from: 0, next: 1, rows: posts('stop@0', 0, 1) }),
      (error) => error instanceof AppError && error.retryable,
    )
  })

  it('stores texts of 20,000 characters with 20 mentions each as one part a block', async () => {
    const text = '\u{1f4c9}'.repeat(10_000)
    const rows = Array.from({ length: 60 }, (_, offset) =>
      Array.from({ length: 21 }, (_, ordinal) =>
        post('large@0', offset, {
          text,
          ordinal,
          instrument: ordinal === 0 ? '' : `US:${ordinal}`,
        }),
      ),
    ).flat()
    await writerOf('large@0').write({ from: 0, next: 60, rows })
    const parts = await store.query<{ parts: number; rows: number; intact: number }>(
      "SELECT uniqExact(_part) AS parts, count() AS rows, countIf(text = {text:String}) AS intact FROM analyses WHERE log_topic = 'large@0' GROUP BY block_start",
      { text },
    )
    assert.ok(parts.length > 1)
    assert.deepEqual(new Set(parts.map((block) => block.parts)), new Set([1]))
    assert.equal(
      parts.reduce((sum, block) => sum + block.intact, 0),
      1_260,
    )
    assert.deepEqual(await checkContinuity(store, 'large@0'), [])
  })
})
