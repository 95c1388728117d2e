/** The store of a life, with the faults that strike on the way to it. */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../infra/errors.ts'
import type { Block, InsertOutcome, Store } from '../../../infra/store/store.ts'
import type { Breakage } from '../breakage.ts'
import type { Fault } from '../faults.ts'
import type { Tripwires } from './tripwires.ts'

/** An insert that a dead life has sent and that did not arrive yet. */
export type Held = () => Promise<InsertOutcome>

export interface FaultyStoreDeps {
  readonly store: Store
  readonly wires: Tripwires
  readonly breakage: Breakage | undefined
  hold(insert: Held): void
}

export function faultyStore({ store, wires, breakage, hold }: FaultyStoreDeps): Store {
  let wroteBefore = false
  /** What the last acknowledged insert reached, by partition; only for a writer that trusts answers. */
  const trusted = new Map<number, number>()

  async function insertBlock(block: Block): Promise<InsertOutcome> {
    const send = () => arrive(block)
    const [fault] = await wires.reach('inserting')
    const outcome = await strike(fault, send, block)
    wroteBefore = true
    if (outcome.kind === 'acknowledged') trusted.set(block.partition, block.last)
    await wires.reach('inserted')
    return outcome
  }

  /** The way to the engine: a held insert takes it later than it was made. */
  async function arrive(block: Block): Promise<InsertOutcome> {
    if (breakage === 'no-token')
      return store.insertBlock({ ...block, token: `${block.token}/${randomUUID()}` })
    let outcome = await store.insertBlock(block)
    // Without a fence it would be taken wherever the mark stands.
    while (breakage === 'no-fence' && outcome.kind === 'mark-moved')
      outcome = await store.insertBlock({ ...block, mark: await store.mark(block) })
    return outcome
  }

  async function strike(
    fault: Fault | undefined,
    send: Held,
    block: Block,
  ): Promise<InsertOutcome> {
    switch (fault?.action) {
      case 'kill-under-way':
      case 'crash-under-way':
        void send()
        await delay(fault.amount)
        if (fault.action === 'kill-under-way') process.kill(process.pid, 'SIGKILL')
        wires.crash()
        return unanswered('the process died')
      case 'hold':
        hold(send)
        wires.crash()
        return unanswered('the process died')
      case 'lose-answer':
        await send()
        return unanswered('the answer was lost')
      case 'refuse':
        return unanswered('the connection was cut')
      case 'poison-token':
        await poison(store, block)
        return send()
      default:
        return send()
    }
  }

  return {
    ...store,
    query: (sql, params, options) => wires.during(() => store.query(sql, params, options)),
    insert: (table, rows) => wires.during(() => store.insert(table, rows)),
    insertBlock: (block) => wires.during(() => insertBlock(block)),
    mark: (partition) =>
      wires.during(async () => {
        const known = breakage === 'trust-answers' ? trusted.get(partition.partition) : undefined
        const mark = known ?? (await store.mark(partition))
        if (wroteBefore) await wires.reach('marked')
        return mark
      }),
  }
}

const unanswered = (why: string): InsertOutcome => ({
  kind: 'unknown',
  error: new AppError('STORE', `No answer: ${why}`, { retryable: true }),
})

/** The engine keeps the token of a row that is none of this log, as it does when it dies between token and part. */
async function poison(store: Store, block: Block): Promise<void> {
  const [first] = block.rows
  if (first === undefined) return
  const logTopic = `poison-${block.token}`
  const row = JSON.stringify({ ...JSON.parse(first), log_topic: logTopic, post_id: '' })
  await store.insertBlock({ ...block, logTopic, mark: -1, rows: [row] })
}
