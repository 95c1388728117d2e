/**
 * Two writers on one partition over a model of the store, in every order that a scheduler finds: what the protocol promises holds, and
 * each of its parts is needed.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '../infra/logger.ts'
import type { Block, InsertOutcome } from '../infra/store/store.ts'
import { emptyRow } from './writer/gap.ts'
import {
  appendedAt,
  type Flaws,
  type InsertFault,
  type StoredRow,
  StoreModel,
  type Turn,
} from './writer/store-model.fixture.ts'
import { createPartitionWriter, type PartitionWriter, type WriterOptions } from './writer.ts'

const partition = { logTopic: 'posts@0', partition: 0 }
const offsets = 5
const window = 3

/** What befalls one writer; lists are used up in order, and then nothing more goes wrong. */
interface Fate {
  /** Offsets a batch, in turn. */
  readonly batches: readonly number[]
  readonly rowsPerBlock: number
  readonly inserts: readonly InsertFault[]
  readonly failingReads: readonly boolean[]
  /** It dies at such a call to the store, counted from 0 in each of its lives, and comes back. */
  readonly deaths: readonly number[]
  /** The call before which it stands still until the other one is done: longer than the window remembers. */
  readonly sleepsAt: number
}

const faults = fc.constantFrom<InsertFault>('none', 'never-arrives', 'given-up', 'answer-lost')
const never = Number.POSITIVE_INFINITY

const fate = (inserts: fc.Arbitrary<InsertFault[]>, sleepsAt: fc.Arbitrary<number>) =>
  fc.record<Fate>({
    batches: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    rowsPerBlock: fc.integer({ min: 1, max: 3 }),
    inserts,
    failingReads: fc.array(fc.boolean(), { maxLength: 3 }),
    deaths: fc.array(fc.nat(4), { maxLength: 2 }),
    sleepsAt,
  })
/** One token without rows, so that the window forgets none of a block that is still being written. */
const firstInserts = fc
  .tuple(fc.array(faults, { maxLength: 2 }), fc.constantFrom<InsertFault>('poisoned', 'slow'))
  .map(([before, last]) => [...before, last])
const fates = fc.tuple(
  fate(firstInserts, fc.oneof(fc.constant(never), fc.nat(6))),
  fate(fc.array(faults, { maxLength: 3 }), fc.constant(never)),
)

type WriterStore = Pick<WriterOptions['store'], 'mark' | 'insertBlock' | 'query' | 'boot'>
/** A way in which a writer could get the protocol wrong. */
type Mistake = (store: WriterStore, writer: number) => WriterStore

interface Broken {
  readonly flaws?: Flaws
  readonly mistake?: Mistake
}

/** No schedule of this size needs more. */
const maxCalls = 400

class Partition {
  readonly #model: StoreModel
  readonly #turn: Turn
  readonly #mistake: Mistake
  /** Of the second writer, which waits for nobody. */
  readonly #secondDone: Promise<void>
  #secondIsDone = (): void => undefined
  #calls = 0

  constructor(turn: Turn, { flaws = {}, mistake = (store) => store }: Broken) {
    this.#turn = turn
    this.#mistake = mistake
    this.#secondDone = new Promise((resolve) => {
      this.#secondIsDone = resolve
    })
    this.#model = new StoreModel({ turn, window, flaws, stall: () => this.#secondDone })
  }

  get rows(): readonly StoredRow[] {
    return this.#model.rows
  }

  async run([first, second]: readonly [Fate, Fate]): Promise<void> {
    await Promise.all([this.#live(0, first), this.#live(1, second).then(this.#secondIsDone)])
  }

  /** One writer to the end of the log, over its lives. */
  async #live(number: number, fate: Fate): Promise<void> {
    const faults = { inserts: [...fate.inserts], failingReads: [...fate.failingReads] }
    let calls = 0
    const sleep = async () => {
      if (calls === fate.sleepsAt) await this.#secondDone
      calls += 1
    }
    for (const death of [...fate.deaths, never]) {
      const { store, dead } = this.#mortal(death, faults, sleep)
      if (await Promise.race([this.#write(this.#mistake(store, number), fate), dead])) return
      await this.#turn(`writer ${number} comes back`)
    }
  }

  /** The store of one life: whoever calls it once too often never hears of it. */
  #mortal(
    death: number,
    { inserts, failingReads }: { inserts: InsertFault[]; failingReads: boolean[] },
    sleep: () => Promise<void>,
  ): { store: WriterStore; dead: Promise<false> } {
    let die = (): void => undefined
    const dead = new Promise<false>((resolve) => {
      die = () => resolve(false)
    })
    let calls = 0
    const call = async <T>(answer: () => Promise<T>): Promise<T> => {
      this.#calls += 1
      assert.ok(this.#calls < maxCalls, 'the writers do not end')
      await sleep()
      calls += 1
      const answered = answer()
      if (calls <= death) return answered
      answered.catch(() => undefined)
      die()
      return new Promise(() => undefined)
    }
    const store: WriterStore = {
      boot: 'boot',
      mark: () => call(() => this.#model.readMark(failingReads.shift() ?? false)),
      insertBlock: (block) => call(() => this.#model.insert(block, inserts.shift() ?? 'none')),
      query: (...query) => call(() => this.#model.query(...query)),
    }
    return { store, dead }
  }

  async #write(store: WriterStore, fate: Pick<Fate, 'batches' | 'rowsPerBlock'>): Promise<true> {
    const writer = createPartitionWriter({
      store: { ...store, replicated: false },
      partition,
      logger: silentLogger,
      clock: () => 0,
      limits: { rows: fate.rowsPerBlock, bytes: 1e6 },
      wait: () => this.#turn('wait'),
    })
    for (let batch = 0; ; batch += 1) {
      const mark = await untilItAnswers(() => writer.mark())
      if (mark >= offsets - 1) return true
      const size = fate.batches[batch % fate.batches.length] ?? 1
      await this.#writeBatch(writer, mark + 1, Math.min(offsets, mark + 1 + size))
    }
  }

  /** What a writer says is stored, and so committed to the log, must be. */
  async #writeBatch(writer: PartitionWriter, from: number, next: number): Promise<void> {
    const rows = Array.from({ length: next - from }, (_, at) =>
      emptyRow(partition, from + at, appendedAt),
    )
    const mark = await writer.write({ from, next, rows }).catch(rethrowAssertion)
    if (mark === undefined) return
    const held = new Set(this.rows.map((row) => row.offset))
    for (let offset = 0; offset <= mark; offset += 1)
      assert.ok(held.has(offset), `offset ${offset} is said to be stored`)
  }
}

const rethrowAssertion = (error: unknown): undefined => {
  if (error instanceof assert.AssertionError) throw error
}

async function untilItAnswers<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(rethrowAssertion)
    if (answer !== undefined) return answer
  }
}

/** Every offset once, each block where the last one ended. */
function assertWhole(rows: readonly StoredRow[]): void {
  assert.deepEqual(
    rows.map((row) => row.offset),
    Array.from({ length: offsets }, (_, offset) => offset),
  )
  let start = 0
  for (const row of rows) {
    if (row.block_start !== start) {
      assert.equal(row.block_start, row.offset, 'a block begins where the last one ended')
      start = row.offset
    }
  }
}

const holds = (broken: Broken) =>
  fc.asyncProperty(fc.scheduler(), fates, async (scheduler, fate) => {
    const turn: Turn = async (what) => {
      await scheduler.schedule(Promise.resolve(), what)
    }
    const shared = new Partition(turn, broken)
    await scheduler.waitFor(shared.run(fate))
    // What dead writers had sent still lands.
    await scheduler.waitIdle()
    assertWhole(shared.rows)
  })

const withToken =
  (tokenOf: (block: Block, writer: number) => string): Mistake =>
  (store, writer) => ({
    ...store,
    insertBlock: (block) => store.insertBlock({ ...block, token: tokenOf(block, writer) }),
  })

/** Takes an acknowledgement for the rows. */
const trusting: Mistake = (store) => {
  let believed = -1
  return {
    ...store,
    async insertBlock(block): Promise<InsertOutcome> {
      const outcome = await store.insertBlock(block)
      if (outcome.kind === 'acknowledged') believed = Math.max(believed, block.last)
      return outcome
    },
    mark: async () => Math.max(believed, await store.mark(partition)),
  }
}

/** A repeat never meets the insert that it repeats. */
const freshTokens: Mistake = (store, writer) => {
  let sent = 0
  return withToken((block) => {
    sent += 1
    return `${block.token}/${writer}/${sent}`
  })(store, writer)
}

const broken: readonly ({ readonly name: string } & Broken)[] = [
  { name: 'no fence', flaws: { noFence: true } },
  { name: 'no token', flaws: { noToken: true } },
  { name: '`max` instead of `maxOrNull`', flaws: { zeroWhenEmpty: true } },
  { name: 'a token of the last offset', mistake: withToken((block) => `${block.last}`) },
  {
    name: 'an attempt that is never raised',
    mistake: withToken((block) => block.token.replace(/\d+$/, '0')),
  },
  {
    name: 'a boot of each writer’s own',
    mistake: (store, writer) => ({ ...store, boot: `boot ${writer}` }),
  },
  { name: 'a fresh token for each repeat', mistake: freshTokens },
  { name: 'an acknowledgement taken for the rows', mistake: trusting },
  { name: 'inserts that outlast the window', flaws: { slowInserts: true } },
  { name: 'rows that show long after their token', flaws: { lateRows: true } },
]

describe('two writers on one partition of the model', () => {
  it('lose no offset, store none twice, begin where the last block ended, and end', () =>
    fc.assert(holds({}), { numRuns: 200 }))

  for (const { name, ...changes } of broken)
    it(`do not with ${name}`, async () => {
      const found = await fc.check(holds(changes), {
        numRuns: 1_000,
        seed: 86,
        endOnFailure: true,
      })
      assert.ok(found.failed, 'no schedule shows the harm')
      assert.ok(found.errorInstance instanceof assert.AssertionError, String(found.errorInstance))
    })
})
